#include "deid/ge_header.hpp"

#include "core/error.hpp"
#include "deid/private_values.hpp"
#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"
#include "dicom/inflate.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <zlib.h>

namespace dcmpipe::deid {

namespace {

// A gzip file (RFC 1952): a header of 10 bytes, then what its flags say, deflated bytes, checksum, length.
constexpr std::size_t gzip_header_size = 10;
constexpr std::size_t gzip_trailer_size = 8;
constexpr unsigned gzip_extra = 4;
constexpr unsigned gzip_name = 8;
constexpr unsigned gzip_comment = 16;
constexpr unsigned gzip_check = 2;
/// Real protocols have a few thousand bytes.
constexpr std::uint64_t most_text = 1U << 20U;

/// Lines that may stay, where their values are technical.
constexpr std::array<std::string_view, 11> safe_lines{
    "DELACQ",   "DELACQNOAV",   "IMODE",      "IOPT",      "MBACCEL",   "NOSLC",
    "NUMSHOTS", "PHASEDELAYS1", "SLICEORDER", "TRICKSIMG", "VIEWORDER",
};

/// The deflated part of a gzip file without the name in its header.
std::optional<std::string_view> deflated_part(std::string_view file)
{
    if (file.size() < gzip_header_size + gzip_trailer_size || file.substr(0, 3) != "\x1f\x8b\x08") {
        return std::nullopt;
    }
    const auto flags = static_cast<unsigned char>(file[3]);
    if ((flags & (gzip_extra | gzip_check)) != 0) {
        return std::nullopt;
    }
    auto rest = file.substr(gzip_header_size, file.size() - gzip_header_size - gzip_trailer_size);
    for (const unsigned text : {gzip_name, gzip_comment}) {
        const auto end = rest.find('\0');
        if ((flags & text) != 0) {
            if (end == rest.npos) {
                return std::nullopt;
            }
            rest.remove_prefix(end + 1);
        }
    }
    return rest;
}

std::string safe_lines_of(std::string_view text)
{
    std::string kept;
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        constexpr std::string_view set = "set ";
        line.remove_prefix(line.substr(0, set.size()) == set ? set.size() : 0);
        const auto key = line.substr(0, line.find(' '));
        const auto value = line.substr(std::min(key.size() + 1, line.size()));
        const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
        const bool known = std::find(safe_lines.begin(), safe_lines.end(), key) != safe_lines.end();
        if (known && quoted && is_code(value.substr(1, value.size() - 2))) {
            kept.append(key).append(" ").append(value) += '\n';
        }
    }
    return kept;
}

/// One stored block (RFC 1951 §3.2.4), or several: the same bytes whatever the library's version.
std::string stored_gzip(std::string_view text)
{
    using dicom::encode_u16;
    using dicom::encode_u32;
    constexpr std::size_t most = 0xffff;
    std::string file{"\x1f\x8b\x08\0\0\0\0\0\0\xff", gzip_header_size};
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
    const auto size = static_cast<std::uint32_t>(text.size());
    do {
        const auto block = text.substr(0, most);
        text.remove_prefix(block.size());
        const auto length = static_cast<std::uint16_t>(block.size());
        file += text.empty() ? '\1' : '\0';
        file += encode_u16(length) + encode_u16(static_cast<std::uint16_t>(~length));
        file += block;
    } while (!text.empty());
    return file + encode_u32(static_cast<std::uint32_t>(sum)) + encode_u32(size);
}

} // namespace

std::optional<std::string> cleaned_ge_protocol(std::string_view bytes)
{
    if (bytes.size() < 4) {
        return std::nullopt;
    }
    const auto length = dicom::read_u32(bytes, 0, false);
    const auto deflated = length <= bytes.size() - 4 ? deflated_part(bytes.substr(4, length)) : std::nullopt;
    if (!deflated) {
        return std::nullopt;
    }
    try {
        const auto file = stored_gzip(safe_lines_of(dicom::inflate(*deflated, most_text)));
        return dicom::encode_u32(static_cast<std::uint32_t>(file.size())) + file;
    } catch (const Error&) {
        return std::nullopt; // damaged, or larger than any protocol
    }
}

std::optional<std::string> cleaned_ge_user_data(std::string_view bytes)
{
    // The header stands at an offset told in front of it and begins with its version; from version 25.002 on
    // the part with the flags stands further back.
    constexpr std::size_t offset_at = 24;
    constexpr std::size_t needed = 916;
    constexpr float first_version = 5;
    constexpr float moved_version = 25.002F;
    constexpr float last_version = 40;
    if (bytes.size() < needed) {
        return std::nullopt;
    }
    const std::size_t header = dicom::read_u16(bytes, offset_at, false);
    if (header + needed > bytes.size()) {
        return std::nullopt;
    }
    const auto version = std::bit_cast<float>(dicom::read_u32(bytes, header, false));
    if (!(version >= first_version && version <= last_version)) {
        return std::nullopt;
    }
    const bool moved = version >= moved_version;
    const std::size_t flags = header + (moved ? 0x4c : 0);
    const std::size_t order_at = 0x0394 - (moved ? 0x8c : 0);
    std::string cleaned(bytes.size(), '\0');
    const auto keep = [&](std::size_t at, std::size_t size) { cleaned.replace(at, size, bytes, at, size); };
    keep(offset_at, 2);
    keep(header, 4);
    keep(flags + 0x3a, 2); // echo planar
    keep(flags + 0x30, 2); // polarity of phase encoding
    keep(flags + order_at, 2);
    return cleaned;
}

} // namespace dcmpipe::deid
