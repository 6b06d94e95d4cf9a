#pragma once

#include "deid/rewritten.hpp"
#include "dicom/instance.hpp"
#include "pseudonym/originals.hpp"

namespace dcmpipe::deid {

/// How much of what was taken comes back.
enum class RestoreLevel {
    Identity, ///< who the patient is, UIDs, dates and times; nothing else that was removed
    Full,     ///< every attribute: the data set is the one that came in
};

/// Puts back what de-identification took. Throws Error{Refused} where the instance has been converted to a
/// transfer syntax that encodes elements otherwise than the original's: convert it back first.
Rewritten restore(
    const dicom::Instance& instance, const pseudonym::RecalledOriginals& originals, RestoreLevel level);

/// True where pixels of the instance were cleaned when it was de-identified: what was painted over is nowhere
/// kept, so that a full restoration gives back every attribute but those pixels.
bool lost_pixels(const dicom::Instance& instance, const pseudonym::RecalledOriginals& originals);

} // namespace dcmpipe::deid
