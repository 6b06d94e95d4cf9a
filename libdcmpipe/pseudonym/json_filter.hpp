#pragma once

#include "pseudonym/reveal.hpp"

#include <iosfwd>
#include <string>

namespace dcmpipe::pseudonym {

/// Puts originals into JSON that other systems made of de-identified data: a text that is a patient's code
/// becomes the Patient ID (under PatientName or 00100010 the name), one that is the UID of a study, series or
/// instance of the map becomes the original. Everything else stays.
///
/// Reads one value, however many lines it has, and gives it back in one line; false at the end of the stream.
/// Throws Error{Input} where what comes is no JSON.
bool restore_json(std::istream& from, Revealer& revealer, std::string& restored);

} // namespace dcmpipe::pseudonym
