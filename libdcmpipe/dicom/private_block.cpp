#include "dicom/private_block.hpp"

namespace dcmpipe::dicom {

std::string_view PrivateBlocks::creator_of(const Element& element) const
{
    const auto block = static_cast<std::uint16_t>(element.tag.element() >> 8U);
    if (!element.tag.is_private() || block < 0x10) {
        return {};
    }
    const Tag reservation{element.tag.group(), block};
    if (reservation != reservation_ || element.parent != parent_) {
        reservation_ = reservation;
        parent_ = element.parent;
        creator_ = index_.text(reservation, element.parent);
    }
    return creator_;
}

} // namespace dcmpipe::dicom
