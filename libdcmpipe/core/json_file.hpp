#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace dcmpipe {

/// A JSON text with comments, and where in it each value stands: so that what is wrong with a value can be
/// told by line and column.
class JsonText {
public:
    /// Throws Error{Usage} where `path` cannot be read or is no JSON, with line and column. `what` names it
    /// in errors: `the profile`.
    static JsonText from_file(std::string_view what, const std::filesystem::path& path);
    static JsonText from_text(std::string_view what, std::string_view name, std::string_view text);

    JsonText(JsonText&&) noexcept;
    JsonText& operator=(JsonText&&) = delete;
    ~JsonText();

    const nlohmann::json& root() const;

    /// Ends in Error{Usage}: `cannot read the profile 'NAME': line 3, column 5: REASON`. `pointer` names the
    /// value (RFC 6901: `/rules/0/tag`); a member's key counts as its value.
    [[noreturn]] void fail(std::string_view pointer, std::string_view reason) const;

private:
    struct Impl;
    explicit JsonText(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The value alone, for files that programs write. Throws as JsonText::from_file() does.
nlohmann::json read_json_file(std::string_view what, const std::filesystem::path& path);

/// The whole of a small text file. Throws Error{Input}.
std::string read_text_file(const std::filesystem::path& path);

} // namespace dcmpipe
