#pragma once

#include "deid/identity.hpp"
#include "dicom/element_index.hpp"

#include <cstdint>

namespace dcmpipe::deid {

/// How much of an output is searched for what identifies its people.
enum class Residual {
    Off,
    Header, ///< every value but bulk data: pixels, waveforms and other binary data longer than 64 KiB
    Full,   ///< every value
};

/// True where the value of an element that stays names one of the people.
bool residual_names_patient(
    const dicom::ElementIndex& index, std::uint32_t element, const Identity& identity, Residual residual);

} // namespace dcmpipe::deid
