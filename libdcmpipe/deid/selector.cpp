#include "deid/selector.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"

#include <charconv>

#include <fmt/format.h>

namespace dcmpipe::deid {

using dicom::Element;
using dicom::ElementIndex;
using dicom::Tag;

namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view reason)
{
    throw Error{ErrorKind::Usage, fmt::format("'{}' {}", text, reason)};
}

std::optional<std::uint32_t> hexadecimal(std::string_view digits)
{
    std::uint32_t value = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value, 16);
    return error == std::errc{} && rest == end && !digits.empty() ? std::optional{value} : std::nullopt;
}

} // namespace

Selector::Step Selector::parse_step(std::string_view text)
{
    auto plain = text;
    if (plain.starts_with('(') && plain.ends_with(')')) {
        plain = plain.substr(1, plain.size() - 2);
    }
    const auto quote = plain.find('"');
    if (quote != plain.npos) {
        const auto close = std::min(plain.find('"', quote + 1), plain.size());
        const auto group = hexadecimal(plain.substr(0, 4)).value_or(0);
        const auto element = hexadecimal(plain.substr(std::min(close + 2, plain.size()))).value_or(0x100);
        if (quote != 5 || group % 2 == 0 || element > 0xff) {
            refuse(text, "is no private element (write gggg,\"CREATOR\",ee)");
        }
        const Tag tag{static_cast<std::uint16_t>(group), static_cast<std::uint16_t>(element)};
        return {tag, 0xffff00ffU, std::string{plain.substr(quote + 1, close - quote - 1)}};
    }
    if (plain.size() == 9 && plain[4] == ',' && plain.find_first_of("xX") != plain.npos) {
        std::string digits;
        std::string mask;
        for (const char c : plain) {
            if (c != ',') {
                const bool any = c == 'x' || c == 'X';
                digits += any ? '0' : c;
                mask += any ? '0' : 'f';
            }
        }
        const auto value = hexadecimal(digits);
        if (!value) {
            refuse(text, "is no tag");
        }
        return {Tag{*value}, *hexadecimal(mask)};
    }
    const auto tag = dicom::dictionary::tag_from(text);
    if (!tag) {
        refuse(text, "is no attribute of the data dictionary, and no tag");
    }
    return {*tag};
}

Selector Selector::parse(std::string_view text)
{
    Selector selector;
    auto rest = text;
    while (!rest.empty()) {
        // A creator may hold a slash: it stands between quotes.
        const auto quote = rest.find('"');
        auto slash = rest.find('/');
        if (quote < slash && rest.find('"', quote + 1) != rest.npos) {
            slash = rest.find('/', rest.find('"', quote + 1));
        }
        const auto word = rest.substr(0, slash);
        rest = slash == rest.npos ? std::string_view{} : rest.substr(slash + 1);
        if (word != "*") {
            selector.steps_.push_back(parse_step(word));
        }
    }
    if (selector.steps_.empty()) {
        refuse(text, "selects nothing");
    }
    const Step& last = selector.steps_.back();
    if (selector.steps_.size() > 1 || text.find("/*") != text.npos) {
        selector.kind_ = Kind::Path;
    } else if (!last.creator.empty()) {
        selector.kind_ = Kind::Private;
    } else if (last.mask != 0xffffffffU) {
        selector.kind_ = Kind::Mask;
    }
    selector.vr_ = last.creator.empty() ? dicom::dictionary::vr_of(last.tag) : dicom::vr::UN;
    return selector;
}

Selector Selector::of_vr(std::string_view name)
{
    const auto vr = name.size() == 2 ? dicom::make_vr(name[0], name[1]) : dicom::vr::None;
    if (!dicom::is_standard(vr)) {
        refuse(name, "is no value representation");
    }
    Selector selector;
    selector.kind_ = Kind::Vr;
    selector.vr_ = vr;
    return selector;
}

std::optional<Tag> Selector::tag() const noexcept
{
    const bool one = kind_ == Kind::Tag || (kind_ == Kind::Path && steps_.back().mask == 0xffffffffU);
    return one ? std::optional{steps_.back().tag} : std::nullopt;
}

std::optional<Tag> Selector::private_tag() const noexcept
{
    return kind_ == Kind::Private ? std::optional{steps_.back().tag} : std::nullopt;
}

bool Selector::fits(const Step& step, const Place& place)
{
    const Element& element = *place;
    if ((element.tag.value & step.mask) != step.tag.value) {
        return false;
    }
    return step.creator.empty() || place.blocks.creator_of(element) == step.creator;
}

bool Selector::selects(const Place& place) const
{
    if (kind_ == Kind::Vr) {
        const auto* const known = dicom::dictionary::find((*place).tag);
        return (known != nullptr ? known->vr : (*place).vr) == vr_;
    }
    if (!fits(steps_.back(), place)) {
        return false;
    }
    if (kind_ != Kind::Path) {
        return true;
    }
    auto at = place.element;
    for (auto step = steps_.rbegin() + 1; step != steps_.rend(); ++step) {
        const auto item = place.index[at].parent;
        if (item == ElementIndex::None) {
            return false;
        }
        at = place.index[item].parent;
        if (!fits(*step, {place.index, at, place.blocks})) {
            return false;
        }
    }
    return place.index[at].depth == 0;
}

} // namespace dcmpipe::deid
