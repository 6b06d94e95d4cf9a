#pragma once

#include "dicom/vr.hpp"

#include <optional>
#include <string_view>

namespace dcmpipe::deid {

/// What happens to an element. The first six are those of PS3.15 §E.3.1.
enum class Action {
    Keep,    ///< K; of a sequence: its items are gone through
    Remove,  ///< X
    Empty,   ///< Z
    Dummy,   ///< D
    Uid,     ///< U: the keyed UID; of a sequence: its items are gone through
    Clean,   ///< C: text without what names somebody; of a sequence: its items are gone through
    Shift,   ///< DA, DT: the patient's days into the past; TM stays
    AgeCap,  ///< AS: at most 089Y, above it 090Y
    Code,    ///< the patient's code
    Edit,    ///< what a rule makes of the text
    Encrypt, ///< goes as the table has it, and is sealed into Encrypted Attributes Sequence (0400,0500)
    Reject,  ///< the instance is kept back
};

/// The name of an action in profiles and explanations: `age-cap`.
std::string_view name_of(Action action) noexcept;

/// True where the action makes sense for a value of this VR; UN stands for one that is not known.
bool applies_to(Action action, dicom::Vr vr) noexcept;

} // namespace dcmpipe::deid
