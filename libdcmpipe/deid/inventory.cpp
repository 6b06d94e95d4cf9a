#include "deid/inventory.hpp"

#include "dicom/dictionary.hpp"

#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

using dicom::ElementIndex;

namespace {

/// More different values than this are many.
constexpr std::size_t most_values = 100'000;

/// As a rule's path selects it; private elements by their creator.
std::string path_of(const ElementIndex& index, const dicom::PrivateBlocks& blocks, std::uint32_t i)
{
    const auto name = [&](std::uint32_t at) {
        const auto creator = blocks.creator_of(index[at]);
        return creator.empty() ? dicom::dictionary::name_of(index[at].tag)
                               : fmt::format(
                                     "{:04X},\"{}\",{:02X}", index[at].tag.group(), creator,
                                     index[at].tag.element() & 0xffU);
    };
    auto path = name(i);
    for (auto item = index[i].parent; item != ElementIndex::None; item = index[index[item].parent].parent) {
        path = fmt::format("{}/*/{}", name(index[item].parent), path);
    }
    return path;
}

} // namespace

void Inventory::add(const dicom::Instance& instance)
{
    const auto& index = instance.data_set();
    const dicom::PrivateBlocks blocks{index};
    const auto iod = Iod::of_class(instance.sop_class_uid());
    for (std::uint32_t i = 0; i < index.size();) {
        const auto& element = index[i];
        if (element.is_item()) {
            ++i;
            continue;
        }
        const auto decision = rules_.decide({index, i, blocks}, iod);
        auto& entry = entries_[path_of(index, blocks, i)];
        entry.vr = to_string(element.vr);
        ++entry.actions[fmt::format("{} ({})", name_of(decision.action), decision.why)];
        ++entry.count;
        if (!element.container && entry.values.size() < most_values) {
            entry.values.insert(std::hash<std::string_view>{}(index.value(element)));
        }
        const bool enter = decision.action == Action::Keep || decision.action == Action::Clean ||
                           decision.action == Action::Uid;
        i = element.is_sequence() && enter ? i + 1 : element.end;
    }
}

std::string Inventory::json_lines() const
{
    std::string lines;
    for (const auto& [path, entry] : entries_) {
        nlohmann::ordered_json line{
            {"attribute", path}, {"vr", entry.vr}, {"count", entry.count}, {"values", entry.values.size()}};
        line["actions"] = entry.actions;
        lines += line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    }
    return lines;
}

} // namespace dcmpipe::deid
