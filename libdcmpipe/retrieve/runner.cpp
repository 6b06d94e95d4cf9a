#include "retrieve/runner.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/layout.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "retrieve/forwarder.hpp"
#include "retrieve/identifier.hpp"
#include "retrieve/info.hpp"

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

std::int64_t number(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

class Runner {
public:
    Runner(const RunSettings& settings, Connection& connection, Purpose purpose, const Listener& listener)
        : settings_(settings), connection_(connection), listener_(listener),
          finder_(connection, settings.character_set)
    {
        if (purpose.method) {
            journal_.emplace(settings.place.root);
            fetcher_.emplace(connection, *journal_, std::move(purpose.method));
        } else if (!purpose.destination.empty()) {
            forwarder_.emplace(connection, std::move(purpose.destination));
        }
    }

    RunTally run(const std::vector<Row>& rows)
    {
        for (const auto& row : rows) {
            if (stop::requested()) {
                throw Error{ErrorKind::Cancelled, "stopping"};
            }
            ++tally_.rows;
            ask_for(row);
        }
        finder_.release();
        if (fetcher_) {
            fetcher_->release();
        }
        if (forwarder_) {
            forwarder_->release();
        }
        return tally_;
    }

private:
    /// A failure of one row; the next may fare better.
    void ask_for(const Row& row)
    {
        const auto failed_before = tally_.failed;
        try {
            FindTally found;
            if (fetcher_ || forwarder_) {
                std::vector<FoundSeries> all;
                found =
                    finder_.find(row, true, [&](FoundSeries series) { all.push_back(std::move(series)); });
                if (!all.empty()) {
                    finder_.release(); // one association at a time
                }
                for (const auto& series : all) {
                    retrieve(row, series);
                }
            } else {
                found = finder_.find(row, false, [&](const FoundSeries& series) { show(row, series); });
            }
            account_for(row, found);
            broken_in_a_row_ = 0;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Cancelled && failed_before == tally_.failed) {
                fail(row, error.what());
            }
            if (!is_about_one_row(error)) {
                throw;
            }
        }
        tally_.failed = failed_before + (tally_.failed > failed_before ? 1 : 0);
    }

    /// A node that breaks off one query may take the next; one that breaks off several has had enough.
    bool is_about_one_row(const Error& error)
    {
        constexpr unsigned enough = 3;
        return error.kind() == ErrorKind::Input ||
               (error.kind() == ErrorKind::Peer && connection_.reached() && ++broken_in_a_row_ < enough);
    }

    void account_for(const Row& row, const FindTally& found)
    {
        tally_.series += found.series;
        tally_.dropped += found.dropped;
        if (found.dropped > 0) {
            log::info(
                "row {}: {} answers of the node do not fit what was asked: left out", row.number,
                found.dropped);
        }
        if (found.series == 0) {
            ++tally_.empty;
            log::warning("row {}: nothing matches", row.number);
            if (listener_.report != nullptr) {
                listener_.report->add(row, "empty", "nothing matches");
            }
        }
    }

    void fail(const Row& row, const std::string& reason)
    {
        ++tally_.failed;
        log::error("row {}: {}", row.number, reason);
        if (listener_.report != nullptr) {
            listener_.report->add(row, to_string(Status::Failed), reason);
        }
        listener_.on_result(Record{fs::path{}, Status::Failed, reason}.set("row", number(row.number)));
    }

    void show(const Row& row, const FoundSeries& series)
    {
        if (!series.unconfirmed.empty()) {
            log::warning(
                "row {}: the node gives no value for some of what was asked: it may list too much",
                row.number);
        }
        if (settings_.info) {
            const dicom::Layout layout{settings_.place.layout};
            const auto place = layout.place_of(
                [&](dicom::Tag tag) { return std::string{value_of(series.attributes, tag)}; });
            write_info(series, settings_.place.root / place.file.parent_path());
        }
        listener_.on_found(row, series);
    }

    void retrieve(const Row& row, const FoundSeries& series)
    {
        if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopping"};
        }
        if (settings_.batch_size > 0 && since_pause_ >= settings_.batch_size) {
            since_pause_ = 0;
            if (!stop::sleep(settings_.batch_wait)) {
                throw Error{ErrorKind::Cancelled, "stopping"};
            }
        }
        Fetched fetched;
        try {
            fetched = fetcher_ ? fetcher_->fetch(series, listener_.on_stored) : forwarder_->forward(series);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Cancelled) {
                fail(row, error.what());
            }
            throw;
        }
        since_pause_ += fetched.received > 0 ? 1 : 0;
        report(row, series, fetched);
    }

    void report(const Row& row, const FoundSeries& series, const Fetched& fetched)
    {
        auto status = fetched.received > 0 ? Status::Ok : Status::Skipped;
        auto reason = fetched.reason;
        if (!fetched.complete()) {
            ++tally_.failed;
            status = Status::Failed;
            log::error("row {}: series {}: {}", row.number, series.series_uid, reason);
        }
        const bool rejected = fetcher_ && fetched.complete() && fetched.folders.empty();
        if (listener_.report != nullptr) {
            listener_.report->add(row, series, rejected ? "rejected" : to_string(status), fetched);
        }
        if (rejected) {
            log::info(
                "row {}: series {} is not what was asked, its instances say", row.number, series.series_uid);
            return;
        }
        if (settings_.info && !fetched.folders.empty()) {
            write_info(series, *fetched.folders.begin());
        }
        auto folders = fetched.folders;
        if (folders.empty()) {
            folders.insert(fs::path{});
        }
        for (const auto& folder : folders) {
            listener_.on_result(Record{folder, status, reason}
                                    .set("row", number(row.number))
                                    .set("StudyInstanceUID", series.study_uid)
                                    .set("SeriesInstanceUID", series.series_uid)
                                    .set("expected", number(fetched.expected))
                                    .set("present", number(fetched.present))
                                    .set("received", number(fetched.received))
                                    .set("rejected", number(fetched.rejected))
                                    .set("missing", number(fetched.missing))
                                    .set("verified", fetched.by_uid ? "uid" : "count"));
        }
    }

    const RunSettings& settings_;
    const Connection& connection_;
    const Listener& listener_;
    Finder finder_;
    std::optional<Journal> journal_{};
    std::optional<Fetcher> fetcher_{};
    std::optional<Forwarder> forwarder_{};
    RunTally tally_{};
    unsigned since_pause_ = 0;     ///< series retrieved
    unsigned broken_in_a_row_ = 0; ///< rows
};

} // namespace

void check_character_set(const std::vector<Row>& rows, std::string_view character_set)
{
    for (const auto& row : rows) {
        Attributes keys;
        for (const auto& criterion : row.criteria) {
            keys[criterion.tag] = criterion.key;
        }
        try {
            static_cast<void>(encode_identifier(
                keys, Level::Study, dicom::transfer_syntax::ExplicitVRLittleEndian, character_set));
        } catch (const Error& error) {
            throw Error{ErrorKind::Usage, fmt::format("row {}: {}", row.number, error.reason())};
        }
    }
}

RunTally run(
    const std::vector<Row>& rows, const RunSettings& settings, Connection& connection, Purpose purpose,
    const Listener& listener)
{
    return Runner{settings, connection, std::move(purpose), listener}.run(rows);
}

} // namespace dcmpipe::retrieve
