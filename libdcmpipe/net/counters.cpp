#include "net/counters.hpp"

#include "core/output_file.hpp"
#include "net/command.hpp"

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

constexpr std::string_view prefix = "dpipe_receive_";

std::string labelled(std::string_view name, std::string_view label, std::string_view value)
{
    return fmt::format("{}{{{}=\"{}\"}}", name, label, value);
}

} // namespace

void Counters::count(const Event& event)
{
    changed_ = true;
    switch (event.kind) {
    case EventKind::Opened:
        ++values_["associations_open"];
        ++values_["associations_total"];
        break;
    case EventKind::Closed:
        --values_["associations_open"];
        ++values_[labelled("associations_closed_total", "released", event.released ? "true" : "false")];
        break;
    case EventKind::Rejected:
        ++values_[labelled(
            "associations_rejected_total", "limit", event.limit.empty() ? "access" : event.limit)];
        break;
    case EventKind::Failed:
        ++values_["connections_failed_total"];
        break;
    case EventKind::Stored:
        ++values_[labelled("instances_stored_total", "duplicate", to_string(event.instance.duplicate))];
        values_["bytes_total"] += event.instance.stood_already ? 0 : event.instance.bytes;
        break;
    case EventKind::Committed:
        values_["instances_committed_total"] += event.stored;
        values_["instances_not_committed_total"] += event.refused;
        break;
    case EventKind::Refused:
        ++values_[labelled("instances_refused_total", "status", status_text(event.status))];
        break;
    }
}

void Counters::set_lost_events(std::uint64_t lost)
{
    auto& value = values_["events_lost_total"];
    changed_ = changed_ || value != lost;
    value = lost;
}

std::string Counters::text() const
{
    std::string text;
    for (const auto& [name, value] : values_) {
        text += fmt::format("{}{} {}\n", prefix, name, value);
    }
    return text;
}

void Counters::write(const std::filesystem::path& path)
{
    if (changed_) {
        OutputFile file{path};
        file.write(text());
        file.appear(Existing::Replace);
        changed_ = false;
    }
}

} // namespace dcmpipe::net
