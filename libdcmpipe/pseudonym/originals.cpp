#include "pseudonym/originals.hpp"

#include "core/error.hpp"
#include "dicom/charset.hpp"
#include "dicom/element_index.hpp"
#include "dicom/inflate.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

namespace {

using dicom::Tag;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t most_bytes = 4ULL << 30U;

Json numbers(const std::vector<Tag>& tags)
{
    auto json = Json::array();
    for (const auto tag : tags) {
        json.push_back(tag.value);
    }
    return json;
}

std::vector<Tag> tags_from(const Json& json)
{
    std::vector<Tag> tags;
    for (const auto& number : json) {
        tags.emplace_back(number.get<std::uint32_t>());
    }
    return tags;
}

} // namespace

std::string original_text(const RecalledOriginals& originals, Tag tag)
{
    const auto encoding = dicom::transfer_syntax::encoding_of(originals.transfer_syntax);
    const auto bytes_of = [&](Tag wanted) {
        const auto found = originals.elements.find(wanted);
        return found != originals.elements.end()
                   ? std::string{dicom::ElementIndex::walk(found->second, encoding).text(wanted)}
                   : std::string{};
    };
    return dicom::CharacterSet{bytes_of(dicom::tags::SpecificCharacterSet)}.to_utf8(bytes_of(tag));
}

Difference difference(const Originals& originals, const TakenElements& base)
{
    Difference difference{originals.transfer_syntax, {}, {}, originals.added};
    auto old = base.begin();
    const auto absent_before = [&](Tag tag) {
        for (; old != base.end() && (*old).first < tag; ++old) {
            difference.absent.push_back((*old).first);
        }
    };
    for (const auto& [tag, element] : originals.elements) {
        absent_before(tag);
        const bool there = old != base.end() && (*old).first == tag;
        if (!there || (*old).second != element) {
            difference.elements.emplace(tag, element);
        }
        if (there) {
            ++old;
        }
    }
    for (; old != base.end(); ++old) {
        difference.absent.push_back((*old).first);
    }
    return difference;
}

void apply(const Difference& difference, RecalledOriginals& originals)
{
    originals.transfer_syntax = difference.transfer_syntax;
    originals.added = difference.added;
    for (const auto tag : difference.absent) {
        originals.elements.erase(tag);
    }
    for (const auto& [tag, element] : difference.elements) {
        originals.elements.insert_or_assign(tag, element);
    }
}

/// One line of JSON, then the elements one after the other, all deflated.
std::string Difference::encode() const
{
    Json head{{"transfer_syntax", transfer_syntax}, {"absent", numbers(absent)}, {"added", numbers(added)}};
    auto sizes = Json::array();
    std::string bytes;
    for (const auto& [tag, element] : elements) {
        sizes.push_back({tag.value, element.size()});
        bytes += element;
    }
    head["elements"] = std::move(sizes);
    return dicom::deflate(head.dump() + "\n" + bytes);
}

Difference Difference::decode(std::string_view deflated)
{
    const auto bytes = dicom::inflate(deflated, most_bytes);
    const auto end = bytes.find('\n');
    const auto head = Json::parse(bytes.substr(0, end), nullptr, false);
    if (end == std::string::npos || !head.is_object()) {
        throw Error{ErrorKind::Input, "a row of the map holds no originals"};
    }
    Difference difference{
        head.at("transfer_syntax").get<std::string>(),
        {},
        tags_from(head.at("absent")),
        tags_from(head.at("added"))};
    auto position = end + 1;
    for (const auto& entry : head.at("elements")) {
        const auto size = entry.at(1).get<std::size_t>();
        if (size > bytes.size() - position) {
            throw Error{ErrorKind::Input, "a row of the map is cut short"};
        }
        difference.elements.emplace(Tag{entry.at(0).get<std::uint32_t>()}, bytes.substr(position, size));
        position += size;
    }
    return difference;
}

} // namespace dcmpipe::pseudonym
