#include "upload/stow_answer.hpp"

#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

using nlohmann::json;

namespace {

constexpr const char* failed_sop_sequence = "00081198";
constexpr const char* referenced_sop_sequence = "00081199";
constexpr const char* referenced_sop_instance_uid = "00081155";
constexpr const char* failure_reason = "00081197";

/// The values of an attribute of the DICOM JSON model (PS3.18 §F.2).
json values_of(const json& object, const char* tag)
{
    const auto attribute = object.find(tag);
    if (attribute == object.end() || !attribute->is_object()) {
        return json::array();
    }
    auto values = attribute->value("Value", json::array());
    return values.is_array() ? values : json::array();
}

std::string uid_of(const json& item)
{
    const auto values = item.is_object() ? values_of(item, referenced_sop_instance_uid) : json::array();
    return !values.empty() && values.front().is_string() ? values.front().get<std::string>() : std::string{};
}

} // namespace

std::optional<StowAnswer> read_stow_answer(std::string_view body)
{
    auto parsed = json::parse(body, nullptr, false);
    if (parsed.is_array() && parsed.size() == 1) {
        parsed = json(parsed.front());
    }
    if (!parsed.is_object()) {
        return std::nullopt;
    }
    StowAnswer answer;
    for (const auto& item : values_of(parsed, referenced_sop_sequence)) {
        answer.stored.insert(uid_of(item));
    }
    for (const auto& item : values_of(parsed, failed_sop_sequence)) {
        const auto uid = uid_of(item);
        const auto reasons = item.is_object() ? values_of(item, failure_reason) : json::array();
        const bool known = !reasons.empty() && reasons.front().is_number_unsigned();
        answer.failed[uid] = known ? reasons.front().get<unsigned>() : 0;
        answer.stored.erase(uid);
    }
    return answer;
}

bool may_pass(unsigned failure_reason) noexcept
{
    return (failure_reason & 0xff00U) == 0xa700U || failure_reason == 0x0110U;
}

} // namespace dcmpipe::upload
