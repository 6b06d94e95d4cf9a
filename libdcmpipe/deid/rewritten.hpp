#pragma once

#include "core/rope.hpp"
#include "dicom/instance.hpp"
#include "dicom/layout.hpp"

#include <map>
#include <string>

namespace dcmpipe::deid {

/// An instance with a new data set, before it is written.
struct Rewritten {
    Rope file; ///< the whole file; borrows from the instance it was made of
    std::map<dicom::Tag, std::string>
        replaced; ///< new values of top-level public attributes; empty where removed

    /// The text of a top-level public attribute as it is now, in UTF-8; `from` is the instance it was made
    /// of.
    std::string text(const dicom::Instance& from, dicom::Tag tag) const;

    /// Where it belongs, by its new values.
    dicom::Layout::Place place(const dicom::Instance& from, const dicom::Layout& layout) const;
};

/// The whole file of an instance whose data set was rewritten: a preamble of zeros, new file meta
/// information, and the data set, deflated where it was. Borrows what `data_set` borrows.
Rope file_image(const dicom::Instance& from, const std::string& instance_uid, Rope data_set);

} // namespace dcmpipe::deid
