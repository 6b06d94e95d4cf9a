#include "deid/pixels/rules.hpp"

#include "core/error.hpp"
#include "deid/json_members.hpp"
#include "dicom/tags.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

namespace tags = dicom::tags;
using dicom::ElementIndex;
using dicom::read_u32;
using nlohmann::json;

namespace {

constexpr std::string_view device_rules_text =
#include "deid/device_rules.inc"
    ;

Box read_box(const json& numbers, const Members& members)
{
    const bool good = numbers.is_array() && numbers.size() == 4 &&
                      std::all_of(numbers.begin(), numbers.end(), [](const json& number) {
                          return number.is_number_unsigned() && number.get<std::uint64_t>() <= 0xffff;
                      });
    if (!good) {
        members.fail("boxes", "must be a list of [x, y, width, height]");
    }
    return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

void read_boxes(PixelRule& rule, Members& members)
{
    const json* const boxes = members.find("boxes");
    if (boxes->is_string()) {
        rule.paint = members.choice<PixelRule::Paint>(
            "boxes", {},
            {{"all", PixelRule::Paint::All}, {"outside-ultrasound-regions", PixelRule::Paint::Outside}});
        return;
    }
    if (!boxes->is_array()) {
        members.fail("boxes", "must be a list of [x, y, width, height]");
    }
    for (const auto& numbers : *boxes) {
        rule.boxes.push_back(read_box(numbers, members));
    }
}

/// The regions that an ultrasound device marks as image (PS3.3 §C.8.5.5).
std::vector<Box> ultrasound_regions(const ElementIndex& data_set)
{
    std::vector<Box> regions;
    const auto sequence = data_set.find(tags::SequenceOfUltrasoundRegions);
    if (sequence == ElementIndex::None || !data_set[sequence].is_sequence()) {
        return regions;
    }
    for (auto item = data_set.first_child(sequence); item < data_set.end_of(sequence);
         item = data_set[item].end) {
        const auto edge = [&](dicom::Tag tag) -> std::optional<std::uint32_t> {
            const auto at = data_set.find(tag, item);
            if (at == ElementIndex::None || data_set[at].length != 4) {
                return std::nullopt;
            }
            return read_u32(data_set.value(data_set[at]), 0, data_set[at].encoding.big_endian);
        };
        const auto left = edge(tags::RegionLocationMinX0);
        const auto top = edge(tags::RegionLocationMinY0);
        const auto right = edge(tags::RegionLocationMaxX1);
        const auto bottom = edge(tags::RegionLocationMaxY1);
        if (left && top && right && bottom && *left <= *right && *top <= *bottom && *right < 0xffff &&
            *bottom < 0xffff) {
            regions.push_back({*left, *top, *right - *left + 1, *bottom - *top + 1});
        }
    }
    return regions;
}

/// What none of the boxes covers, band by band between their edges.
std::vector<Box> outside(const std::vector<Box>& boxes, std::uint32_t columns, std::uint32_t rows)
{
    std::set<std::uint32_t> edges{0, rows};
    for (const Box& box : boxes) {
        edges.insert({box.y, box.y + box.height});
    }
    std::vector<Box> rest;
    for (auto top = edges.begin(); std::next(top) != edges.end(); ++top) {
        const auto height = *std::next(top) - *top;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> covered;
        for (const Box& box : boxes) {
            if (box.y <= *top && *top < box.y + box.height) {
                covered.emplace_back(box.x, box.x + box.width);
            }
        }
        covered.emplace_back(columns, columns);
        std::sort(covered.begin(), covered.end());
        std::uint32_t x = 0;
        for (const auto& [from, to] : covered) {
            if (from > x) {
                rest.push_back({x, *top, from - x, height});
            }
            x = std::max(x, to);
        }
    }
    return rest;
}

std::vector<Box> boxes_of(
    const PixelRule& rule, const ElementIndex& data_set, std::uint32_t columns, std::uint32_t rows)
{
    switch (rule.paint) {
    case PixelRule::Paint::Boxes:
        return clipped(rule.boxes, columns, rows);
    case PixelRule::Paint::All:
        return {{0, 0, columns, rows}};
    case PixelRule::Paint::Outside:
        break;
    }
    return outside(clipped(ultrasound_regions(data_set), columns, rows), columns, rows);
}

std::vector<PixelRule> read_device_rules()
{
    const auto text = JsonText::from_text("the device rules", "built in", device_rules_text);
    Members members{text, text.root(), ""};
    members.text("about", {});
    std::vector<PixelRule> rules;
    members.each("rules", [&](Members& one) {
        one.required_text("origin");
        rules.push_back(read_pixel_rule(one));
    });
    members.finish();
    return rules;
}

} // namespace

bool PixelRule::is_for(const dicom::Instance& instance) const
{
    return when.holds(instance) && (unless.empty() || !unless.holds(instance));
}

PixelRule read_pixel_rule(Members& members)
{
    PixelRule rule;
    rule.when = members.condition("when");
    if (rule.when.empty()) {
        members.fail("when", "must say of which instances");
    }
    rule.unless = members.condition("unless");
    members.text("origin", {});
    rule.keep_back = members.text("keep-back", {});
    if (members.has("boxes") == members.has("keep-back")) {
        members.fail("boxes", "or 'keep-back' must say what happens, one of them");
    }
    if (members.has("boxes")) {
        read_boxes(rule, members);
    } else if (rule.keep_back.empty()) {
        members.fail("keep-back", "must be a reason");
    }
    return rule;
}

const std::vector<PixelRule>& device_rules()
{
    static const auto rules = read_device_rules();
    return rules;
}

PixelVerdict judge_pixels(const std::vector<PixelRule>& rules, const dicom::Instance& instance)
{
    const auto& data_set = instance.data_set();
    const std::uint32_t columns = data_set.unsigned_short(tags::Columns, 0);
    const std::uint32_t rows = data_set.unsigned_short(tags::Rows, 0);
    PixelVerdict verdict;
    for (const auto& rule : rules) {
        if (!rule.is_for(instance)) {
            continue;
        }
        if (!rule.keep_back.empty()) {
            verdict.keep_back = verdict.keep_back ? verdict.keep_back : rule.keep_back;
            continue;
        }
        const auto boxes = boxes_of(rule, data_set, columns, rows);
        const bool nothing_to_paint = rule.paint == PixelRule::Paint::Boxes && rule.boxes.empty();
        // Boxes that miss the image mean that the rule does not know it.
        verdict.known = verdict.known || nothing_to_paint || !boxes.empty();
        verdict.boxes.insert(verdict.boxes.end(), boxes.begin(), boxes.end());
    }
    return verdict;
}

} // namespace dcmpipe::deid
