#include "retrieve/runner.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/transfer_syntax.hpp"
#include "retrieve/breaker.hpp"
#include "retrieve/identifier.hpp"
#include "retrieve/results.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace {

class Runner {
public:
    Runner(const RunSettings& settings, const Purpose& purpose, const Listener& listener)
        : settings_(settings), connection_(settings.connection), finder_(connection_, settings.find),
          breaker_(connection_), results_(settings, listener)
    {
        if (purpose.make) { // processes before anything else is open
            crew_.emplace(settings.parallel - 1, purpose.make, listener.on_stored);
        }
        if (settings.journal) {
            journal_.emplace(*settings.journal, settings.place.root, purpose.job);
            results_.note_in(*journal_);
        }
    }

    /// Whatever ends it: series that are under way come in first.
    RunTally run(const std::vector<Row>& rows)
    try {
        return ask_for_all(rows);
    } catch (const Error&) {
        if (crew_) {
            crew_->finish();
        }
        throw;
    }

private:
    RunTally ask_for_all(const std::vector<Row>& rows)
    {
        for (const auto& row : rows) {
            if (is_left(row)) {
                ++tally_.left;
                continue;
            }
            if (is_full()) {
                log::info("--max {}: the same command goes on where this one ends", settings_.most);
                break;
            }
            wait_for_window();
            ask_for(row);
            check();
        }
        finish();
        finder_.release();
        if (crew_) {
            crew_->release();
        }
        results_.end(tally_);
        return tally_;
    }

    /// A row, until all of its series are done.
    struct Asked {
        const Row& row;
        std::uint64_t series = 0; ///< under way
        bool found_all = false;   ///< the node told them all
        bool over = false;        ///< no more will come
        bool failed = false;
        std::string reason{};
    };
    using AskedRow = std::shared_ptr<Asked>;

    bool is_left(const Row& row)
    {
        if (!journal_ || settings_.rows == Rows::All) {
            return false;
        }
        const auto state = journal_->state_of(row);
        return settings_.rows == Rows::Failed ? state != RowState::Failed : state == RowState::Done;
    }

    /// What is under way may yet turn out to be there already: then it counts for nothing.
    bool is_full()
    {
        if (settings_.most > 0 && done_ + under_way_ >= settings_.most) {
            finish();
        }
        return settings_.most > 0 && done_ >= settings_.most;
    }

    void wait_for_window()
    {
        if (until_open(settings_.windows) > 0) {
            finish();
        }
        if (!wait_until_open(settings_.windows)) {
            throw Error{ErrorKind::Cancelled, "stopping"};
        }
    }

    void finish()
    {
        if (crew_) {
            crew_->finish();
        }
        check();
    }

    /// What ended the run while series were under way.
    void check()
    {
        given_up_ = fatal_.has_value();
        if (fatal_) {
            throw Error{*fatal_};
        }
        if (!broken_off_.empty()) {
            given_up_ = true; // unless it comes back
            breaker_.failed(Error{ErrorKind::Peer, std::exchange(broken_off_, {})});
            given_up_ = false;
        }
    }

    void ask_for(const Row& row)
    {
        ++tally_.rows;
        const auto asked = std::make_shared<Asked>(Asked{.row = row});
        if (journal_) {
            journal_->begin(row);
        }
        try {
            const auto found = crew_ ? find_and_submit(asked) : list(row);
            account_for(row, found);
            asked->found_all = !is_cut_short_;
            breaker_.succeeded();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Cancelled) {
                throw;
            }
            if (!asked->failed) {
                fail(*asked, error.what());
            }
            asked->over = true;
            settle(*asked);
            if (given_up_) {
                throw;
            }
            if (error.kind() != ErrorKind::Input &&
                (error.kind() != ErrorKind::Peer || !connection_.reached())) {
                throw;
            }
            if (error.kind() == ErrorKind::Peer) {
                breaker_.failed(error);
            }
            return;
        }
        asked->over = true;
        settle(*asked);
    }

    FindTally list(const Row& row)
    {
        const auto show_and_count = [&](const FoundSeries& series) {
            results_.show(row, series);
            ++done_;
            return !is_full();
        };
        if (settings_.level == Level::Study) {
            return finder_.find_studies(row, [&](const Attributes& study) {
                return show_and_count(FoundSeries{.attributes = study});
            });
        }
        return finder_.find(row, settings_.level == Level::Image, show_and_count);
    }

    /// Series by the hundred: between them the node is asked over one association only, or over those of the
    /// crew.
    FindTally find_and_submit(const AskedRow& asked)
    {
        constexpr std::size_t most_series = 100;
        constexpr std::size_t most_instances = 100'000;
        std::vector<FoundSeries> some;
        std::size_t instances = 0;
        is_cut_short_ = false;
        const auto submit_all = [&] {
            if (!some.empty() && settings_.parallel == 1) {
                finder_.release();
            }
            for (const auto& series : some) {
                if (is_full()) {
                    is_cut_short_ = true;
                    break;
                }
                submit(asked, series);
            }
            some.clear();
            instances = 0;
            return !is_cut_short_;
        };
        auto found = finder_.find(asked->row, true, [&](FoundSeries series) {
            instances += series.instances.size();
            some.push_back(std::move(series));
            return some.size() < most_series && instances < most_instances ? true : submit_all();
        });
        submit_all();
        return found;
    }

    void submit(const AskedRow& asked, const FoundSeries& series)
    {
        wait_for_window();
        if (settings_.batch_size > 0 && since_pause_ + under_way_ >= settings_.batch_size) {
            finish();
        }
        if (settings_.batch_size > 0 && since_pause_ >= settings_.batch_size) {
            since_pause_ = 0;
            if (!stop::sleep(settings_.batch_wait)) {
                throw Error{ErrorKind::Cancelled, "stopping"};
            }
        }
        ++asked->series;
        ++under_way_;
        crew_->submit(series, [this, asked, series](const Crew::Outcome& outcome) {
            --under_way_;
            --asked->series;
            take(*asked, series, outcome);
            settle(*asked);
        });
        check();
    }

    void take(Asked& asked, const FoundSeries& series, const Crew::Outcome& outcome)
    {
        if (!outcome.error) {
            since_pause_ += outcome.fetched.received > 0 ? 1 : 0;
            done_ += outcome.fetched.received > 0 ? 1 : 0;
            tally_.unasked += outcome.fetched.unasked;
            results_.series_done(asked.row, series, outcome.fetched);
            if (!outcome.fetched.complete()) {
                asked.failed = true;
                asked.reason = outcome.fetched.reason;
            }
            if (outcome.fetched.broken_off && outcome.fetched.received == 0) {
                broken_off_ = outcome.fetched.reason;
            } else {
                breaker_.succeeded();
            }
            return;
        }
        const auto& error = *outcome.error;
        if (error.kind() != ErrorKind::Cancelled) {
            fail(asked, error.what());
        }
        const bool node_is_there = error.kind() == ErrorKind::Peer && outcome.reached;
        if (error.kind() != ErrorKind::Input && !node_is_there && !fatal_) {
            fatal_ = error;
        }
    }

    /// Once nothing of the row is under way any more. A row that was cut short is neither done nor failed.
    void settle(Asked& asked)
    {
        if (!asked.over || asked.series > 0 || (!asked.found_all && !asked.failed)) {
            return;
        }
        tally_.failed += asked.failed ? 1 : 0;
        if (journal_) {
            journal_->end(asked.row, asked.failed ? RowState::Failed : RowState::Done, asked.reason);
        }
    }

    void account_for(const Row& row, const FindTally& found)
    {
        tally_.series += found.found;
        tally_.dropped += found.dropped;
        if (found.dropped > 0) {
            log::info(
                "row {}: {} answers of the node do not fit what was asked: left out", row.number,
                found.dropped);
        }
        if (found.perhaps_cut) {
            log::warning(
                "row {}: the node gave a round number of answers, and not by date: there may be more",
                row.number);
        }
        if (found.found == 0) {
            ++tally_.empty;
            results_.row_empty(row);
        }
    }

    void fail(Asked& asked, const std::string& reason)
    {
        asked.failed = true;
        asked.reason = reason;
        results_.row_failed(asked.row, reason);
    }

    const RunSettings& settings_;
    std::optional<Crew> crew_{};
    Connection connection_;
    Finder finder_;
    Breaker breaker_;
    Results results_;
    std::optional<Journal> journal_{};
    RunTally tally_{};
    std::optional<Error> fatal_{};
    std::string broken_off_{};      ///< why a series was, and nothing of it came
    std::uint64_t under_way_ = 0;   ///< series
    std::uint64_t done_ = 0;        ///< series that were retrieved or listed
    std::uint64_t since_pause_ = 0; ///< series retrieved
    bool given_up_ = false;         ///< the run ends
    bool is_cut_short_ = false;     ///< not all series of the row were submitted
};

} // namespace

void check_character_set(const std::vector<Row>& rows, std::string_view character_set)
{
    std::string problems;
    for (const auto& row : rows) {
        Attributes keys;
        for (const auto& criterion : row.criteria) {
            keys[criterion.tag] = criterion.key;
        }
        try {
            static_cast<void>(encode_identifier(
                keys, Level::Study, dicom::transfer_syntax::ExplicitVRLittleEndian, character_set));
        } catch (const Error& error) {
            problems += fmt::format("{}row {}: {}", problems.empty() ? "" : "\n", row.number, error.reason());
        }
    }
    if (!problems.empty()) {
        throw Error{ErrorKind::Usage, problems};
    }
}

RunTally run(
    const std::vector<Row>& rows, const RunSettings& settings, const Purpose& purpose,
    const Listener& listener)
{
    return Runner{settings, purpose, listener}.run(rows);
}

} // namespace dcmpipe::retrieve
