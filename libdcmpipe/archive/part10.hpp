#pragma once

#include "core/rope.hpp"
#include "dicom/instance.hpp"

#include <string>

namespace dcmpipe::archive {

/// The transfer syntax that the bytes are in, which may not be the one that the file names.
std::string syntax_of(const dicom::Instance& instance);

/// The instance is a DICOM file of PS3.10 §7 whose file meta information is complete and does not contradict
/// the data set.
bool is_part10(const dicom::Instance& instance);

/// The instance as such a file: its own bytes where they are one, else a new preamble and file meta
/// information before the bytes of its data set. The rope borrows from the instance.
Rope part10_of(const dicom::Instance& instance);

} // namespace dcmpipe::archive
