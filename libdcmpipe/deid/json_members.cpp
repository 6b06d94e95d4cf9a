#include "deid/json_members.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

using nlohmann::json;

Members::Members(const JsonText& text, const json& object, std::string pointer)
    : text_(text), object_(object), pointer_(std::move(pointer))
{
    if (!object.is_object()) {
        text_.fail(pointer_, "must be an object");
    }
    for (const auto& [key, value] : object.items()) {
        left_.push_back(key);
    }
}

const json* Members::find(const std::string& key)
{
    std::erase(left_, key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
}

bool Members::has(const std::string& key) const
{
    return object_.contains(key);
}

std::string Members::text(const std::string& key, std::string otherwise)
{
    const json* const value = find(key);
    if (value != nullptr && !value->is_string()) {
        fail(key, "must be a text");
    }
    return value != nullptr ? value->get<std::string>() : std::move(otherwise);
}

std::string Members::required_text(const std::string& key)
{
    if (!has(key)) {
        text_.fail(pointer_, fmt::format("'{}' is missing", key));
    }
    return text(key, {});
}

unsigned Members::number(const std::string& key, unsigned otherwise)
{
    const json* const value = find(key);
    if (value != nullptr && !value->is_number_unsigned()) {
        fail(key, "must be a whole number");
    }
    return value != nullptr ? value->get<unsigned>() : otherwise;
}

dicom::Condition Members::condition(const std::string& key)
{
    const json* const object = find(key);
    dicom::Condition condition;
    if (object == nullptr) {
        return condition;
    }
    Members members{text_, *object, pointer(key)};
    for (const auto& [word, value] : object->items()) {
        std::vector<std::string> patterns;
        for (const auto& one : value.is_array() ? value : json::array({value})) {
            if (!one.is_string() && !one.is_number_integer()) {
                members.fail(word, "must be a pattern or a list of patterns");
            }
            patterns.push_back(one.is_string() ? one.get<std::string>() : one.dump());
        }
        members.at(word, [&, &word = word] { condition.add(word, patterns); });
    }
    return condition;
}

void Members::fail(const std::string& key, std::string_view reason) const
{
    text_.fail(pointer(key), fmt::format("'{}' {}", key, reason));
}

void Members::finish() const
{
    if (!left_.empty()) {
        text_.fail(pointer(left_.front()), fmt::format("unknown key '{}'", left_.front()));
    }
}

std::size_t Members::list_size(const std::string& key)
{
    const json* const list = find(key);
    if (list != nullptr && !list->is_array()) {
        fail(key, "must be a list");
    }
    return list != nullptr ? list->size() : 0;
}

Members Members::list_entry(const std::string& key, std::size_t number) const
{
    return {text_, object_.at(key).at(number), fmt::format("{}/{}", pointer(key), number)};
}

} // namespace dcmpipe::deid
