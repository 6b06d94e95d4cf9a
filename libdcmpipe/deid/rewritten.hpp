#pragma once

#include "core/rope.hpp"
#include "dicom/instance.hpp"
#include "dicom/layout.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dcmpipe::deid {

/// New values of attributes. Hundreds are set, in the order of their tags, and a few are asked for.
class NewValues {
public:
    /// The text, instead of an earlier one. Cheap where tags come in order.
    void set(dicom::Tag tag, std::string_view text);

    /// Null where none was set.
    const std::string* find(dicom::Tag tag) const;

private:
    using Value = std::pair<dicom::Tag, std::string>;
    static bool before(const Value& value, dicom::Tag tag) { return value.first < tag; }

    std::vector<Value> values_; ///< ordered by tag
};

/// An instance with a new data set, before it is written.
struct Rewritten {
    Rope file;          ///< the whole file; borrows from the instance it was made of
    NewValues replaced; ///< of top-level public attributes; empty where removed

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
