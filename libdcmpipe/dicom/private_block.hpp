#pragma once

#include "dicom/element_index.hpp"

#include <string_view>

namespace dcmpipe::dicom {

/// Finds who owns private elements (PS3.5 §7.8.1): (gggg,xxee) belongs to the creator named in (gggg,00xx) of
/// the same data set or item. Remembers the last answer, as private elements come in blocks; so one object
/// for one index and one thread.
class PrivateBlocks {
public:
    explicit PrivateBlocks(const ElementIndex& index) : index_(index) {}

    /// The creator of a private element, without padding; empty where the block is not reserved, and for
    /// what is no private element of a block.
    std::string_view creator_of(const Element& element) const;

private:
    const ElementIndex& index_;
    mutable std::uint32_t parent_ = 0;
    mutable Tag reservation_;
    mutable std::string_view creator_;
};

} // namespace dcmpipe::dicom
