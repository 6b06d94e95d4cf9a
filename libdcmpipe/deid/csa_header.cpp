#include "deid/csa_header.hpp"

#include "deid/private_values.hpp"
#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"

#include <algorithm>
#include <array>

namespace dcmpipe::deid {

namespace {

constexpr std::string_view mark = "SV10";
constexpr std::size_t name_size = 64;
constexpr std::size_t tag_size = name_size + 5 * 4; ///< name, multiplicity, VR, type, count, check
constexpr std::size_t value_header_size = 4 * 4;
/// Real headers have about a hundred tags, and values by the hundred where slices have times.
constexpr std::uint32_t most_tags = 1024;
constexpr std::uint32_t most_values = 16 * 1024;
/// Stands behind counts and lengths; 205 instead of 77 where a tag has no values.
constexpr std::uint32_t check = 77;
constexpr std::uint32_t check_without_values = 205;

/// What may stay in a tag.
enum class Holds { Numbers, Code, Protocol };

struct SafeTag {
    std::string_view name;
    Holds holds;
};

constexpr SafeTag safe_tags[] = {
#include "deid/csa_tags.inc"
};
static_assert(std::is_sorted(std::begin(safe_tags), std::end(safe_tags), [](const auto& a, const auto& b) {
    return a.name < b.name;
}));

std::string_view until_nul(std::string_view text)
{
    return text.substr(0, text.find('\0'));
}

/// A bounded reader: after a read past the end it gives nothing and is no longer good().
class Cursor {
public:
    explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

    std::string_view take(std::size_t size)
    {
        good_ = good_ && size <= bytes_.size();
        if (!good_) {
            return {};
        }
        const auto taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    std::uint32_t number()
    {
        const auto four = take(4);
        return good_ ? dicom::read_u32(four, 0, false) : 0;
    }
    /// Values end at a multiple of four; the padding of the last one may be cut.
    void pad(std::size_t size) { take(std::min((4 - size % 4) % 4, bytes_.size())); }

    bool good() const { return good_; }
    std::string_view rest() const { return bytes_; }

private:
    std::string_view bytes_;
    bool good_ = true;
};

/// The values of one tag. In the older form the first number of a value header is its length plus a constant,
/// which is the first tag's count; a sum that does not fit ends the values of that tag.
class ValueReader {
public:
    explicit ValueReader(bool with_mark) : with_mark_(with_mark) {}

    bool read(Cursor& cursor, std::uint32_t count, CsaTag& tag)
    {
        bias_ = first_ ? count : bias_;
        first_ = false;
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto first = cursor.number();
            const auto second = cursor.number();
            cursor.take(8);
            const auto length = with_mark_ ? second : first - bias_;
            if (!with_mark_ && cursor.good() && length > cursor.rest().size()) {
                return true;
            }
            const auto value = cursor.take(length);
            cursor.pad(length);
            if (!cursor.good()) {
                return false;
            }
            tag.values.emplace_back(until_nul(value));
        }
        return true;
    }

private:
    bool with_mark_;
    bool first_ = true;
    std::uint32_t bias_ = 0;
};

std::optional<CsaTag> read_tag(Cursor& cursor, ValueReader& values)
{
    const auto header = cursor.take(tag_size);
    if (!cursor.good()) {
        return std::nullopt;
    }
    const auto number = [&](std::size_t at) { return dicom::read_u32(header, name_size + at, false); };
    CsaTag tag;
    tag.name = until_nul(header.substr(0, name_size));
    tag.multiplicity = static_cast<std::int32_t>(number(0));
    tag.vr = until_nul(header.substr(name_size + 4, 4)).substr(0, 3);
    tag.syngo_type = static_cast<std::int32_t>(number(8));
    const auto count = number(12);
    const bool named = !tag.name.empty() && tag.name.size() < name_size && is_code(tag.name);
    if (!named || count > most_values || !values.read(cursor, count, tag)) {
        return std::nullopt;
    }
    return tag;
}

/// What is left of one value; empty where it is not what the tag should hold.
std::string cleaned_value(Holds holds, const std::string& value)
{
    switch (holds) {
    case Holds::Numbers:
        return is_numbers(value) ? value : std::string{};
    case Holds::Code:
        return is_code(value) ? value : std::string{};
    case Holds::Protocol:
        return cleaned_protocol(value).value_or("");
    }
    return {};
}

} // namespace

std::optional<std::vector<CsaTag>> read_csa(std::string_view bytes)
{
    const bool with_mark = bytes.substr(0, mark.size()) == mark;
    Cursor cursor{bytes};
    cursor.take(with_mark ? 8 : 0);
    const auto count = cursor.number();
    const auto checked = cursor.number();
    if (!cursor.good() || count == 0 || count > most_tags || checked != check) {
        return std::nullopt;
    }
    ValueReader values{with_mark};
    std::vector<CsaTag> tags;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto tag = read_tag(cursor, values);
        if (!tag) {
            return std::nullopt;
        }
        tags.push_back(std::move(*tag));
    }
    return tags;
}

std::string write_csa(const std::vector<CsaTag>& tags)
{
    using dicom::encode_u32;
    std::string bytes{mark};
    bytes += "\x04\x03\x02\x01";
    bytes += encode_u32(static_cast<std::uint32_t>(tags.size())) + encode_u32(check);
    for (const CsaTag& tag : tags) {
        std::string name = tag.name;
        std::string vr = tag.vr;
        name.resize(name_size);
        vr.resize(4);
        const auto count = static_cast<std::uint32_t>(tag.values.size());
        for (const auto& part :
             {name, encode_u32(static_cast<std::uint32_t>(tag.multiplicity)), vr,
              encode_u32(static_cast<std::uint32_t>(tag.syngo_type)), encode_u32(count),
              encode_u32(count > 0 ? check : check_without_values)}) {
            bytes += part;
        }
        for (const auto& value : tag.values) {
            const auto length = static_cast<std::uint32_t>(value.empty() ? 0 : value.size() + 1);
            bytes += encode_u32(length) + encode_u32(length) + encode_u32(check) + encode_u32(length);
            bytes += value;
            bytes.append((length + 3) / 4 * 4 - value.size(), '\0');
        }
    }
    return bytes.append(4, '\0');
}

std::optional<std::string> cleaned_csa(std::string_view bytes)
{
    auto tags = read_csa(bytes);
    if (!tags) {
        return std::nullopt;
    }
    for (CsaTag& tag : *tags) {
        const auto* const safe = std::find_if(
            std::begin(safe_tags), std::end(safe_tags), [&](const auto& s) { return s.name == tag.name; });
        if (safe == std::end(safe_tags)) {
            tag.values.clear();
            continue;
        }
        for (auto& value : tag.values) {
            value = cleaned_value(safe->holds, value);
        }
    }
    return write_csa(*tags);
}

} // namespace dcmpipe::deid
