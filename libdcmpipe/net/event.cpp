#include "net/event.hpp"

#include "core/utc_time.hpp"
#include "net/command.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::net {

namespace {

constexpr std::array<std::string_view, 7> words{"opened",  "rejected", "failed",   "stored",
                                                "refused", "closed",   "committed"};

/// In the order of Duplicate.
constexpr std::array<std::string_view, 5> duplicate_words{
    "none", "identical", "versioned", "replaced", "dropped"};

/// Text is cut here, so that a datagram stays short whatever a peer calls itself.
constexpr std::size_t longest_text = 500;

/// The fields of a datagram, a NUL after each.
class Writer {
public:
    Writer& text(std::string_view value)
    {
        for (const char c : value.substr(0, longest_text)) {
            bytes_.push_back(c == '\0' ? '?' : c);
        }
        bytes_.push_back('\0');
        return *this;
    }
    Writer& number(std::uint64_t value) { return text(fmt::format("{}", value)); }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::string text()
    {
        const auto end = rest_.find('\0');
        if (end == rest_.npos) {
            good_ = false;
            return {};
        }
        std::string value{rest_.substr(0, end)};
        rest_.remove_prefix(end + 1);
        return value;
    }
    std::uint64_t number()
    {
        const auto digits = text();
        std::uint64_t value = 0;
        const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        good_ = good_ && error == std::errc{};
        return value;
    }
    bool good() const { return good_; }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
    bool good_ = true;
};

} // namespace

std::string_view to_string(EventKind kind)
{
    return words.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(Duplicate duplicate)
{
    return duplicate_words.at(static_cast<std::size_t>(duplicate));
}

std::string Event::encode() const
{
    return Writer{}
               .number(static_cast<std::uint64_t>(kind))
               .text(calling_aet)
               .text(called_aet)
               .text(reason)
               .text(limit)
               .number(status)
               .number(released ? 1 : 0)
               .number(stored)
               .number(refused)
               .number(static_cast<std::uint64_t>(instance.duplicate))
               .take() +
           Report{instance, calling_aet}.encode();
}

std::optional<Event> Event::decode(std::string_view datagram)
{
    Reader reader{datagram};
    const auto kind = reader.number();
    if (kind >= words.size()) {
        return std::nullopt;
    }
    Event event;
    event.kind = static_cast<EventKind>(kind);
    event.calling_aet = reader.text();
    event.called_aet = reader.text();
    event.reason = reader.text();
    event.limit = reader.text();
    event.status = static_cast<std::uint16_t>(reader.number());
    event.released = reader.number() != 0;
    event.stored = reader.number();
    event.refused = reader.number();
    const auto duplicate = reader.number();
    auto report = Report::decode(reader.rest());
    if (!reader.good() || !report || duplicate >= duplicate_words.size()) {
        return std::nullopt;
    }
    event.instance = std::move(report->instance);
    event.instance.duplicate = static_cast<Duplicate>(duplicate);
    return event;
}

std::string Event::json() const
{
    nlohmann::ordered_json line{{"event", to_string(kind)}, {"time", utc_now()}};
    if (association != 0) {
        line["association"] = association;
        line["peer"] = peer;
    }
    const auto add = [&](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            line[std::string{key}] = value;
        }
    };
    add("calling_aet", calling_aet);
    add("called_aet", called_aet);
    if (kind == EventKind::Stored) {
        line["path"] = instance.path.string();
        line["duplicate"] = to_string(instance.duplicate);
        line["bytes"] = instance.bytes;
    }
    if (kind == EventKind::Refused) {
        line["status"] = status_text(status);
    }
    if (kind == EventKind::Closed) {
        line["released"] = released;
        line["stored"] = stored;
        line["refused"] = refused;
    }
    if (kind == EventKind::Committed) {
        line["delivered"] = released;
        line["committed"] = stored;
        line["missing"] = refused;
    }
    add("limit", limit);
    add("reason", reason);
    add("SOPClassUID", instance.sop_class_uid);
    add("StudyInstanceUID", instance.study_uid);
    add("SeriesInstanceUID", instance.series_uid);
    add("SOPInstanceUID", instance.instance_uid);
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace dcmpipe::net
