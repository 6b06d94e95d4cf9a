#pragma once

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "dicom/match.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dcmpipe::deid {

/// The members of one JSON object of a profile or rule file, each asked for once; finish() says which were
/// not asked for. Every member function ends in Error{Usage} with line and column where a value is wrong.
/// The text must outlive it. One thread at a time.
class Members {
public:
    Members(const JsonText& text, const nlohmann::json& object, std::string pointer);

    /// Null where there is no such member.
    const nlohmann::json* find(const std::string& key);
    bool has(const std::string& key) const;
    std::string text(const std::string& key, std::string otherwise);
    std::string required_text(const std::string& key);
    unsigned number(const std::string& key, unsigned otherwise);

    template <class Value>
    Value choice(
        const std::string& key, Value otherwise,
        std::initializer_list<std::pair<std::string_view, Value>> known)
    {
        if (!has(key)) {
            return otherwise;
        }
        const auto word = text(key, {});
        std::string names;
        for (const auto& [name, value] : known) {
            if (name == word) {
                return value;
            }
            names += (names.empty() ? "" : ", ") + std::string{name};
        }
        fail(key, "must be one of " + names);
    }

    /// A condition on instances: keywords, and the patterns that their values must fit.
    dicom::Condition condition(const std::string& key);

    /// Gives each object of a list to `read`, which takes its members.
    template <class Read>
    void each(const std::string& key, Read read)
    {
        for (std::size_t i = 0; i < list_size(key); ++i) {
            Members one = list_entry(key, i);
            read(one);
            one.finish();
        }
    }

    [[noreturn]] void fail(const std::string& key, std::string_view reason) const;
    void finish() const;

    std::string pointer(const std::string& key) const { return pointer_ + "/" + key; }
    const JsonText& source() const { return text_; }

    /// Runs `read`, whose errors are reasons alone, and says where it failed.
    template <class Read>
    auto at(const std::string& key, Read read) const
    {
        try {
            return read();
        } catch (const Error& error) {
            text_.fail(pointer(key), error.what());
        }
    }

private:
    std::size_t list_size(const std::string& key);
    Members list_entry(const std::string& key, std::size_t number) const;

    const JsonText& text_;
    const nlohmann::json& object_;
    std::string pointer_;
    std::vector<std::string> left_;
};

} // namespace dcmpipe::deid
