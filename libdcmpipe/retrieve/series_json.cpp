#include "retrieve/series_json.hpp"

#include <nlohmann/json.hpp>

namespace dcmpipe::retrieve {

namespace {

using nlohmann::json;

std::string line_of(const json& value)
{
    return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

} // namespace

std::string json_of(const FoundSeries& series)
{
    json all{{"study", series.study_uid},       {"series", series.series_uid},
             {"known", series.instances_known}, {"some", series.some_instances_only},
             {"attributes", json::array()},     {"unconfirmed", json::array()},
             {"instances", json::array()}};
    if (series.count) {
        all["count"] = *series.count;
    }
    for (const auto& [tag, value] : series.attributes) {
        all["attributes"].push_back(json::array({tag.value, value}));
    }
    for (const auto& criterion : series.unconfirmed) {
        all["unconfirmed"].push_back(json::array({criterion.tag.value, criterion.key}));
    }
    for (const auto& instance : series.instances) {
        all["instances"].push_back(json::array({instance.uid, instance.sop_class_uid}));
    }
    return line_of(all);
}

FoundSeries series_from_json(std::string_view line)
{
    const auto all = json::parse(line);
    FoundSeries series{.study_uid = all.at("study"), .series_uid = all.at("series")};
    series.instances_known = all.at("known");
    series.some_instances_only = all.at("some");
    if (const auto count = all.find("count"); count != all.end()) {
        series.count = count->get<std::uint64_t>();
    }
    for (const auto& one : all.at("attributes")) {
        series.attributes.emplace(dicom::Tag{one.at(0).get<std::uint32_t>()}, one.at(1).get<std::string>());
    }
    for (const auto& one : all.at("unconfirmed")) {
        series.unconfirmed.push_back(
            {dicom::Tag{one.at(0).get<std::uint32_t>()}, one.at(1).get<std::string>()});
    }
    for (const auto& one : all.at("instances")) {
        series.instances.push_back({one.at(0).get<std::string>(), one.at(1).get<std::string>()});
    }
    return series;
}

std::string json_of(const net::StoredInstance& instance)
{
    return line_of({{"bytes", instance.bytes}});
}

std::optional<net::StoredInstance> instance_from_json(std::string_view line)
{
    const auto all = json::parse(line);
    const auto bytes = all.find("bytes");
    if (bytes == all.end()) {
        return std::nullopt;
    }
    return net::StoredInstance{.bytes = bytes->get<std::uint64_t>()};
}

std::string json_of(const Crew::Outcome& outcome)
{
    const auto& fetched = outcome.fetched;
    json all{{"expected", fetched.expected}, {"present", fetched.present}, {"received", fetched.received},
             {"rejected", fetched.rejected}, {"unasked", fetched.unasked}, {"missing", fetched.missing},
             {"by_uid", fetched.by_uid},     {"reason", fetched.reason},   {"broken_off", fetched.broken_off},
             {"reached", outcome.reached},   {"folders", json::array()}};
    for (const auto& folder : fetched.folders) {
        all["folders"].push_back(folder.string());
    }
    if (outcome.error) {
        all["error"] = {static_cast<int>(outcome.error->kind()), outcome.error->what()};
    }
    return line_of(all);
}

Crew::Outcome outcome_from_json(std::string_view line)
{
    const auto all = json::parse(line);
    Crew::Outcome outcome{.reached = all.at("reached")};
    auto& fetched = outcome.fetched;
    fetched.expected = all.at("expected");
    fetched.present = all.at("present");
    fetched.received = all.at("received");
    fetched.rejected = all.at("rejected");
    fetched.unasked = all.at("unasked");
    fetched.missing = all.at("missing");
    fetched.by_uid = all.at("by_uid");
    fetched.broken_off = all.at("broken_off");
    fetched.reason = all.at("reason");
    for (const auto& folder : all.at("folders")) {
        fetched.folders.insert(folder.get<std::string>());
    }
    if (const auto error = all.find("error"); error != all.end()) {
        outcome.error.emplace(
            static_cast<ErrorKind>(error->at(0).get<int>()), error->at(1).get<std::string>());
    }
    return outcome;
}

} // namespace dcmpipe::retrieve
