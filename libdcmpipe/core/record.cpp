#include "core/record.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace dcmpipe {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> status_names{"ok", "skipped", "failed", "quarantined"};

Status status_from(std::string_view name)
{
    const auto* const found = std::find(status_names.begin(), status_names.end(), name);
    if (found == status_names.end()) {
        throw Error{ErrorKind::Input, "cannot read the record", name, "not a status"};
    }
    return static_cast<Status>(found - status_names.begin());
}

Record::Value value_from(const Json& json)
{
    if (json.is_boolean()) {
        return json.get<bool>();
    }
    if (json.is_number_integer()) {
        return json.get<std::int64_t>();
    }
    if (json.is_number()) {
        return json.get<double>();
    }
    return json.is_string() ? json.get<std::string>() : json.dump();
}

} // namespace

std::string_view to_string(Status status)
{
    return status_names.at(static_cast<std::size_t>(status));
}

Record::Record(std::filesystem::path path, Status status, std::string reason)
    : path_(std::move(path)), status_(status), reason_(std::move(reason))
{
}

Record& Record::set(std::string key, Value value) &
{
    const auto found =
        std::find_if(more_.begin(), more_.end(), [&](const auto& pair) { return pair.first == key; });
    if (found != more_.end()) {
        found->second = std::move(value);
    } else {
        more_.emplace_back(std::move(key), std::move(value));
    }
    return *this;
}

Record&& Record::set(std::string key, Value value) &&
{
    set(std::move(key), std::move(value));
    return std::move(*this);
}

std::string Record::json() const
{
    Json json;
    json["path"] = path_.string();
    json["status"] = to_string(status_);
    if (!reason_.empty()) {
        json["reason"] = reason_;
    }
    for (const auto& [key, value] : more_) {
        std::visit([&, &key = key](const auto& plain) { json[key] = plain; }, value);
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Record Record::from_json(std::string_view line)
{
    const auto json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("path") || !json["path"].is_string()) {
        throw Error{ErrorKind::Input, "cannot read a record on stdin: no JSON object with a path"};
    }
    Record record{json["path"].get<std::string>()};
    for (const auto& [key, value] : json.items()) {
        if (key == "status" && value.is_string()) {
            record.status_ = status_from(value.get<std::string>());
        } else if (key == "reason" && value.is_string()) {
            record.reason_ = value.get<std::string>();
        } else if (key != "path") {
            record.set(key, value_from(value));
        }
    }
    return record;
}

} // namespace dcmpipe
