#pragma once

#include "pseudonym/reveal.hpp"

#include <string>
#include <string_view>

namespace dcmpipe::pseudonym {

/// Puts originals into JSON that other systems made of de-identified data: a text that is a patient's code
/// becomes the Patient ID (under PatientName or 00100010 the name), one that is the UID of a study or
/// instance of the map becomes the original. Everything else stays. Throws Error{Input} where `text` is no
/// JSON.
std::string restore_json(std::string_view text, Revealer& revealer);

} // namespace dcmpipe::pseudonym
