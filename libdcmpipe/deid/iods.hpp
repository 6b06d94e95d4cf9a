#pragma once

#include "deid/table.hpp"

#include <string_view>

namespace dcmpipe::deid {

/// What the table's open actions come to, given the type that an attribute has in an IOD.
class Iod {
public:
    /// The IOD of a SOP class; the strictest of all for a class that is not known here.
    static Iod of_class(std::string_view sop_class_uid) noexcept;
    /// Where no IOD helps: inside items, whose macros may stand anywhere.
    static Iod strictest() noexcept { return Iod{{}}; }

    /// One of X, Z, D, U, K or C (PS3.15 §E.3.1).
    TableAction resolve(TableAction open, dicom::Tag tag) const noexcept;

private:
    explicit Iod(std::string_view letters) noexcept : letters_(letters) {}

    std::string_view letters_; ///< one an attribute of the types table; empty where the class is unknown
};

} // namespace dcmpipe::deid
