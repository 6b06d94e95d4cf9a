#pragma once

#include "core/rope.hpp"
#include "dicom/instance.hpp"

namespace dcmpipe::archive {

/// The instance as a DICOM file of PS3.10 §7: its own bytes where they are one, else a new preamble and file
/// meta information before the bytes of its data set. New ones are needed where there are none, where
/// they lack SOP Class, SOP Instance or Transfer Syntax UID, and where they contradict the data set. The
/// rope borrows from the instance.
Rope part10_of(const dicom::Instance& instance);

} // namespace dcmpipe::archive
