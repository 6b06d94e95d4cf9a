#include "retrieve/fetcher.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "dicom/charset.hpp"
#include "dicom/tags.hpp"
#include "retrieve/matching.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;

namespace {

using Uids = std::set<std::string, std::less<>>;

bool all_match(const std::vector<Criterion>& criteria, const dicom::ElementIndex& data_set)
{
    const dicom::CharacterSet characters{data_set.text(tags::SpecificCharacterSet)};
    return std::all_of(criteria.begin(), criteria.end(), [&](const Criterion& criterion) {
        return matches(criterion.tag, criterion.key, characters.to_utf8(data_set.text(criterion.tag)));
    });
}

dicom::Tag last_of(const std::vector<Criterion>& criteria)
{
    dicom::Tag last{};
    for (const auto& criterion : criteria) {
        last = std::max(last, criterion.tag);
    }
    return last;
}

} // namespace

/// One series on its way in.
class Fetcher::Work {
public:
    Work(const FoundSeries& series, Journal& journal, Throttle& throttle, const OnStored& on_stored)
        : series_(series), journal_(journal), throttle_(throttle), on_stored_(on_stored)
    {
        fetched_.by_uid = series.instances_known;
        for (const auto& instance : series.instances) {
            sop_classes_.insert(instance.sop_class_uid);
            const auto path = journal.find(series.study_uid, series.series_uid, instance.uid);
            if (path) {
                ++fetched_.present;
                fetched_.folders.insert(path->parent_path());
            } else {
                missing_.insert(instance.uid);
            }
        }
        if (sop_classes_.contains("")) {
            sop_classes_.clear();
        }
        fetched_.expected = series.instances.size();
        if (!series.instances_known) {
            count_present();
        }
    }

    /// Where the node tells neither UIDs nor numbers, what it sends and calls a success must do.
    bool complete() const
    {
        if (series_.instances_known) {
            return missing_.empty();
        }
        return series_.count ? came_.size() + before_ >= *series_.count : taken_at_its_word_;
    }

    /// The whole series, or the instances that are missing; one, while it is open whether it is what was
    /// asked for, or whether it comes here at all (`proven`).
    Request next(bool by_image, std::size_t most_uids, bool proven, unsigned attempt)
    {
        Request request{
            .study_uid = series_.study_uid,
            .series_uid = series_.series_uid,
            .sop_classes = sop_classes_,
            .modality = std::string{value_of(series_.attributes, tags::Modality)},
            .patient_id = std::string{value_of(series_.attributes, tags::PatientID)},
            .attempt = attempt,
            .belongs = [this](const dicom::ElementIndex& data_set) { return belongs(data_set); },
            .confirms =
                [this](const dicom::ElementIndex& data_set) {
                    return all_match(series_.unconfirmed, data_set);
                },
            .wanted_by = last_of(series_.unconfirmed),
            .on_rejected = [this](std::string_view uid) { reject(uid); },
            .on_unasked = [this] { ++fetched_.unasked; },
            .on_stored = [this](const net::StoredInstance& instance) { take(instance); },
            .complete = [this] { return complete(); }};
        const bool probe = came_.empty() && (!proven || (!series_.unconfirmed.empty() && !probed_));
        proof_only_ = proof_only_ || (probe && !proven);
        const auto proofs =
            proof_only_ && came_.size() == 1 ? 1U : 0U; // a series is asked for whole nonetheless
        const bool some = missing_.size() + proofs < series_.instances.size() || series_.some_instances_only;
        if (by_image && (probe || some) && series_.instances_known) {
            const auto most = probe ? std::size_t{1} : most_uids;
            // Another one each time: the node may not have the first.
            auto uid = std::next(
                missing_.begin(), probe ? static_cast<std::ptrdiff_t>(attempt % missing_.size()) : 0);
            for (; uid != missing_.end() && request.instances.size() < most; ++uid) {
                request.instances.insert(*uid);
            }
            request.complete = [this, uids = request.instances] { return complete() || has_all(uids); };
        }
        return request;
    }

    /// A series whose first instance is not what was asked for is none of it.
    void after(const Request& request, const net::QueryOutcome& outcome)
    {
        const bool first = !probed_;
        probed_ = true;
        if (first && came_.empty() && rejected_.size() == 1 && request.instances.size() == 1 &&
            !series_.some_instances_only) {
            for (const auto& instance : series_.instances) {
                reject(instance.uid);
            }
        }
        taken_at_its_word_ = outcome.status == net::status::Success && outcome.failed == 0 && !came_.empty();
    }

    /// So many instances were dealt with; it only grows.
    std::size_t came() const { return came_.size() + rejected_.size(); }

    Fetched finish(std::string_view reason)
    {
        fetched_.received = came_.size();
        fetched_.rejected = rejected_.size();
        if (series_.instances_known) {
            fetched_.missing = missing_.size();
            fetched_.expected -= std::min<std::uint64_t>(fetched_.expected, rejected_.size());
        } else if (!complete()) {
            const auto there = came_.size() + before_;
            fetched_.missing = std::max<std::uint64_t>(
                fetched_.expected - std::min<std::uint64_t>(fetched_.expected, there), 1);
        }
        if (fetched_.missing > 0) {
            fetched_.reason = fmt::format(
                "{} of {} instances are missing{}{}", fetched_.missing, fetched_.expected,
                reason.empty() ? "" : ": ", reason);
        }
        return fetched_;
    }

private:
    bool has_all(const Uids& uids) const
    {
        return std::none_of(
            uids.begin(), uids.end(), [&](const std::string& uid) { return missing_.contains(uid); });
    }

    void count_present()
    {
        const auto paths = journal_.of_series(series_.study_uid, series_.series_uid);
        for (const auto& path : paths) {
            fetched_.folders.insert(path.parent_path());
        }
        fetched_.expected = series_.count.value_or(0);
        before_ = std::min<std::uint64_t>(paths.size(), fetched_.expected);
        fetched_.present = before_;
    }

    bool belongs(const dicom::ElementIndex& data_set) const
    {
        const auto uid = data_set.text(tags::SOPInstanceUID);
        const auto is_it = [&](const FoundInstance& instance) { return instance.uid == uid; };
        return data_set.text(tags::StudyInstanceUID) == series_.study_uid &&
               data_set.text(tags::SeriesInstanceUID) == series_.series_uid &&
               (!series_.some_instances_only ||
                std::any_of(series_.instances.begin(), series_.instances.end(), is_it));
    }

    void reject(std::string_view uid)
    {
        if (const auto found = missing_.find(uid); found != missing_.end()) {
            missing_.erase(found);
        }
        rejected_.emplace(uid);
    }

    void take(const net::StoredInstance& instance)
    {
        journal_.add(instance);
        if (missing_.erase(instance.instance_uid) > 0 || !instance.stood_already) {
            came_.insert(instance.instance_uid);
        }
        fetched_.folders.insert(instance.path.parent_path());
        on_stored_(instance);
        throttle_.spend(instance.bytes);
    }

    const FoundSeries& series_;
    Journal& journal_;
    Throttle& throttle_;
    const OnStored& on_stored_;
    Fetched fetched_{};
    std::set<std::string> sop_classes_{};
    Uids missing_{};
    Uids came_{};
    Uids rejected_{};
    std::uint64_t before_ = 0;
    bool probed_ = false;
    bool proof_only_ = false; ///< one instance was asked for to see whether it comes
    bool taken_at_its_word_ = false;
};

Fetched Fetcher::work(const FoundSeries& series, const OnStored& on_stored)
{
    Work work{series, journal_, throttle_, on_stored};
    std::string reason;
    bool broken_off = false;
    bool by_image = true;
    for (unsigned idle = 0; !work.complete() && idle <= connection_.settings().retries;) {
        if (idle > 0) {
            connection_.pause(idle);
        } else if (stop::requested()) {
            throw Error{ErrorKind::Cancelled, "stopping"};
        }
        const auto before = work.came();
        auto request = work.next(by_image, settings_.most_uids, method_->is_proven(), idle);
        broken_off = false;
        try {
            connection_.wait_turn();
            const auto outcome = method_->ask(request);
            work.after(request, outcome);
            reason = outcome.status == net::status::Success && outcome.failed == 0
                         ? std::string{}
                         : fmt::format("the node answered {}", net::status_text(outcome.status));
            // A node that does not take a list of UIDs is asked for the series.
            by_image = work.came() > before || (!method_->is_proven() && outcome.completed > 0);
            if (work.came() > before) {
                connection_.went_well();
            }
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Peer || !connection_.reached()) {
                throw;
            }
            log::warning("{}", error.what());
            reason = error.what();
            broken_off = true;
        }
        idle = work.came() > before ? 0 : idle + 1;
    }
    auto fetched = work.finish(reason);
    fetched.broken_off = broken_off && !fetched.complete();
    return fetched;
}

bool is_aside(const StorePlace& place, const net::StoredInstance& instance)
{
    return !place.aside.empty() &&
           std::mismatch(place.aside.begin(), place.aside.end(), instance.path.begin(), instance.path.end())
                   .first == place.aside.end();
}

} // namespace dcmpipe::retrieve
