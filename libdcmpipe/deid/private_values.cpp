#include "deid/private_values.hpp"

#include "dicom/uid.hpp"

#include <algorithm>

namespace dcmpipe::deid {

namespace vr = dicom::vr;

namespace {

constexpr std::size_t longest_code = 1024;

bool consists_of(std::string_view text, std::string_view letters)
{
    return text.find_first_not_of(letters) == std::string_view::npos;
}

} // namespace

bool is_numbers(std::string_view text) noexcept
{
    return consists_of(text, "0123456789+-.eE \\/");
}

bool is_code(std::string_view text) noexcept
{
    return text.size() <= longest_code && std::all_of(text.begin(), text.end(), [](char c) {
               return c >= ' ' && c <= '~' && c != '^' && c != '<' && c != '>' && c != '@' && c != '"';
           });
}

bool reads_as(dicom::Vr vr, std::string_view value) noexcept
{
    if (vr == vr::DS || vr == vr::IS) {
        return is_numbers(dicom::uid::trimmed(value));
    }
    if (vr == vr::CS) {
        return is_code(dicom::uid::trimmed(value));
    }
    const bool bulk = vr == vr::OB || vr == vr::OW || vr == vr::UN;
    return bulk || value.size() % dicom::traits(vr).unit == 0;
}

} // namespace dcmpipe::deid
