#include "deid/vendor_header.hpp"

#include "deid/csa_header.hpp"
#include "deid/ge_header.hpp"

#include <algorithm>
#include <iterator>

namespace dcmpipe::deid {

namespace {

struct Header {
    std::string_view creator;
    unsigned group;
    unsigned element; ///< within the block: its last two digits
    HeaderCleaner cleaner;
};

constexpr Header headers[] = {
    {"SIEMENS CSA HEADER", 0x0029, 0x10, cleaned_csa},     // of an image
    {"SIEMENS CSA HEADER", 0x0029, 0x20, cleaned_csa},     // of a series
    {"SIEMENS MR SDS 01", 0x0021, 0x19, cleaned_protocol}, // the protocol alone (syngo MR XA)
    {"GEMS_SERS_01", 0x0025, 0x1b, cleaned_ge_protocol},
    {"GEMS_PARM_01", 0x0043, 0x2a, cleaned_ge_user_data},
};

} // namespace

HeaderCleaner vendor_header_cleaner(dicom::Tag tag, std::string_view creator) noexcept
{
    const auto* const found = std::find_if(std::begin(headers), std::end(headers), [&](const Header& header) {
        return header.group == tag.group() && header.element == (tag.element() & 0xffU) &&
               header.creator == creator;
    });
    return found != std::end(headers) ? found->cleaner : nullptr;
}

} // namespace dcmpipe::deid
