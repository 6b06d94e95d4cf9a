#include "deid/report.hpp"

#include "core/record.hpp"
#include "deid/table.hpp"

#include <nlohmann/json.hpp>

namespace dcmpipe::deid {

using Json = nlohmann::ordered_json;

namespace {

Json names_of(const Options& options)
{
    auto names = Json::array();
    for (const auto& name : option_names()) {
        if (options.has(name.option)) {
            names.push_back(name.name);
        }
    }
    return names;
}

} // namespace

void Report::written(const ActionCounts& counts)
{
    ++written_;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        actions_[i] += counts[i];
    }
}

void Report::without_output(const std::filesystem::path& input, const Error& error)
{
    const bool refused = error.kind() == ErrorKind::Refused;
    ++(refused ? quarantined_ : failed_);
    ++reasons_[error.reason()];
    kept_back_.push_back(
        Record{input, refused ? Status::Quarantined : Status::Failed, error.reason()}.json());
}

std::string Report::json(const Profile& profile, std::string_view key_id) const
{
    Json actions;
    for (std::size_t i = 0; i < actions_.size(); ++i) {
        actions[std::string{name_of(static_cast<Action>(i))}] = actions_[i];
    }
    const Json report{
        {"program", "dpipe-anon"},
        {"version", DCMPIPE_VERSION},
        {"edition", table_edition},
        {"profile", profile.name},
        {"profile_sha256", profile.digest},
        {"options", names_of(profile.options)},
        {"key_id", key_id},
        {"instances",
         {{"written", written_},
          {"skipped", skipped_},
          {"left_out", left_out_},
          {"failed", failed_},
          {"quarantined", quarantined_}}},
        {"actions", actions},
        {"reasons", reasons_},
    };
    return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Report::kept_back() const
{
    std::string lines;
    for (const auto& line : kept_back_) {
        lines += line + "\n";
    }
    return lines;
}

} // namespace dcmpipe::deid
