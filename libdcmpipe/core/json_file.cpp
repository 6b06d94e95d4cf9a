#include "core/json_file.hpp"

#include "core/error.hpp"
#include "core/file_bytes.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace dcmpipe {

using nlohmann::json;

namespace {

/// Characters of a text that count how many of them were taken.
class Counting {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    Counting(const char* at, const char** taken) : at_(at), taken_(taken) {}
    reference operator*() const { return *at_; }
    Counting& operator++()
    {
        *taken_ = ++at_;
        return *this;
    }
    bool operator==(const Counting& other) const { return at_ == other.at_; }
    bool operator!=(const Counting& other) const { return at_ != other.at_; }

private:
    const char* at_;
    const char** taken_;
};

/// Follows the parser through a text and notes where each value ends; the values themselves are kept by
/// nlohmann's own parser in a second run.
class Places : public nlohmann::json_sax<json> {
public:
    Places(const char* start, const char* const* taken) : start_(start), taken_(taken) {}

    std::map<std::string, std::size_t, std::less<>> found;

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool string(string_t&) override { return value(); }
    bool binary(binary_t&) override { return value(); }
    bool start_object(std::size_t) override { return open(false); }
    bool start_array(std::size_t) override { return open(true); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override
    {
        path_.back().name = name;
        found[pointer()] = here();
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override
    {
        return false;
    }

private:
    struct Level {
        bool array;
        std::size_t next = 0;
        std::string name{};
    };

    std::size_t here() const { return static_cast<std::size_t>(*taken_ - start_); }

    std::string pointer() const
    {
        std::string text;
        for (const auto& level : path_) {
            text += "/" + (level.array ? std::to_string(level.next) : level.name);
        }
        return text;
    }
    bool value()
    {
        found.try_emplace(pointer(), here());
        return next();
    }
    bool next()
    {
        if (!path_.empty()) {
            ++path_.back().next;
        }
        return true;
    }
    bool open(bool array)
    {
        found.try_emplace(pointer(), here());
        path_.push_back({array});
        return true;
    }
    bool close()
    {
        path_.pop_back();
        return next();
    }

    const char* start_;
    const char* const* taken_;
    std::vector<Level> path_;
};

std::string line_and_column(std::string_view text, std::size_t offset)
{
    const auto before = text.substr(0, std::min(offset, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto start = before.rfind('\n') + 1; // npos + 1 is 0
    return fmt::format("line {}, column {}", line, before.size() - start);
}

} // namespace

struct JsonText::Impl {
    std::string what;
    std::string name;
    std::string text;
    json root;
    std::map<std::string, std::size_t, std::less<>> places;
};

JsonText::JsonText(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonText::JsonText(JsonText&&) noexcept = default;
JsonText::~JsonText() = default;

JsonText JsonText::from_file(std::string_view what, const std::filesystem::path& path)
{
    try {
        return from_text(what, path.string(), read_text_file(path));
    } catch (const Error& error) {
        throw error.kind() == ErrorKind::Usage
            ? error
            : Error{ErrorKind::Usage, fmt::format("cannot read {}", what), path.string(), error.reason()};
    }
}

JsonText JsonText::from_text(std::string_view what, std::string_view name, std::string_view text)
{
    auto impl = std::make_unique<Impl>(Impl{std::string{what}, std::string{name}, std::string{text}, {}, {}});
    try {
        impl->root = json::parse(impl->text, nullptr, true, /*ignore_comments=*/true);
    } catch (const json::exception& error) {
        // "[json.exception.parse_error.101] parse error at line 3, column 5: ..." without the first words;
        // "[json.exception.out_of_range.406] number overflow parsing '1e999'" without the first.
        std::string_view message{error.what()};
        for (const std::string_view before : {"] ", "parse error at "}) {
            const auto start = message.find(before);
            message.remove_prefix(start == message.npos ? 0 : start + before.size());
        }
        throw Error{ErrorKind::Usage, fmt::format("cannot read {}", what), name, message};
    }
    const char* const start = impl->text.data();
    const char* taken = start;
    Places places{start, &taken};
    json::sax_parse(
        Counting{start, &taken}, Counting{start + impl->text.size(), &taken}, &places,
        nlohmann::detail::input_format_t::json, true, /*ignore_comments=*/true);
    impl->places = std::move(places.found);
    return JsonText{std::move(impl)};
}

const json& JsonText::root() const
{
    return impl_->root;
}

void JsonText::fail(std::string_view pointer, std::string_view reason) const
{
    // A value that is missing stands where its parent does.
    auto place = impl_->places.find(pointer);
    while (place == impl_->places.end() && !pointer.empty()) {
        pointer = pointer.substr(0, pointer.rfind('/'));
        place = impl_->places.find(pointer);
    }
    const auto offset = place != impl_->places.end() ? place->second : 0;
    throw Error{
        ErrorKind::Usage, fmt::format("cannot read {}", impl_->what), impl_->name,
        fmt::format("{}: {}", line_and_column(impl_->text, offset), reason)};
}

json read_json_file(std::string_view what, const std::filesystem::path& path)
{
    return JsonText::from_file(what, path).root();
}

std::string read_text_file(const std::filesystem::path& path)
{
    return std::string{FileBytes::open(path).view()};
}

} // namespace dcmpipe
