#include "retrieve/finder.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "retrieve/matching.hpp"
#include "retrieve/spool.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;
namespace uid = dicom::uid;

namespace {

constexpr std::array study_answers{
    tags::StudyInstanceUID, tags::PatientID,       tags::PatientName,
    tags::PatientBirthDate, tags::StudyDate,       tags::StudyTime,
    tags::StudyDescription, tags::AccessionNumber, tags::ModalitiesInStudy,
};

constexpr std::array series_answers{
    tags::SeriesInstanceUID, tags::SeriesNumber,
    tags::SeriesDescription, tags::Modality,
    tags::ProtocolName,      tags::DeviceSerialNumber,
    tags::ImageType,         tags::SequenceName,
    tags::AcquisitionDate,   tags::NumberOfSeriesRelatedInstances,
};

constexpr std::array image_answers{tags::SOPInstanceUID, tags::SOPClassUID};

/// Nodes are set to such limits.
constexpr std::array<std::uint64_t, 12> round_numbers{100,  200,  250,  300,  400,   500,
                                                      1000, 2000, 2500, 5000, 10000, 100000};

template <std::size_t N>
Attributes keys_for(
    const Row& row, Level level, const std::array<dicom::Tag, N>& answers, const FindSettings& settings)
{
    Attributes keys;
    for (const auto tag : answers) {
        keys[tag];
    }
    for (const auto& criterion : row.criteria) {
        if (level_of(criterion.tag) == level) {
            const bool wild = criterion.key.find_first_of("*?") != criterion.key.npos;
            keys[criterion.tag] = wild && !settings.takes_wildcards ? std::string{} : criterion.key;
        }
    }
    return keys;
}

/// True where the answer does not contradict the row's criteria of this level; those that it leaves open are
/// added to `unconfirmed`.
bool agrees(const Row& row, Level level, const Attributes& answer, std::vector<Criterion>& unconfirmed)
{
    for (const auto& criterion : row.criteria) {
        if (level_of(criterion.tag) != level) {
            continue;
        }
        const auto value = value_of(answer, criterion.tag);
        if (value.empty()) {
            unconfirmed.push_back(criterion);
        } else if (!matches(criterion.tag, criterion.key, value)) {
            return false;
        }
    }
    return true;
}

bool has_criterion(const Row& row, Level level)
{
    return std::any_of(row.criteria.begin(), row.criteria.end(), [&](const Criterion& criterion) {
        return level_of(criterion.tag) == level;
    });
}

/// False where the node lists the study's modalities and the one that is asked for is not among them.
bool may_have_modality(const Row& row, const Attributes& study)
{
    const auto listed = value_of(study, tags::ModalitiesInStudy);
    return listed.empty() ||
           std::all_of(row.criteria.begin(), row.criteria.end(), [&](const Criterion& criterion) {
               return criterion.tag != tags::Modality || matches(tags::Modality, criterion.key, listed);
           });
}

std::optional<std::uint64_t> count_from(std::string_view text)
{
    std::uint64_t count = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    return error == std::errc{} && rest == end ? std::optional{count} : std::nullopt;
}

FoundSeries series_from(std::string study_uid, const Attributes& study, Attributes& answer)
{
    FoundSeries found{.study_uid = std::move(study_uid)};
    found.series_uid = value_of(answer, tags::SeriesInstanceUID);
    found.count = count_from(value_of(answer, tags::NumberOfSeriesRelatedInstances));
    found.attributes = study;
    for (auto& [tag, value] : answer) {
        if (!value.empty()) {
            found.attributes.insert_or_assign(tag, std::move(value));
        }
    }
    return found;
}

Error refusal(std::string_view peer, Level level, const net::QueryOutcome& outcome)
{
    return Error{
        ErrorKind::Input, "cannot query", peer,
        fmt::format(
            "status {} at level {} after {} answers", net::status_text(outcome.status), name_of(level),
            outcome.answers)};
}

} // namespace

struct Finder::Gathering {
    const Row& row;
    Level level;
    Attributes keys;
    Spool spool{};
    FindTally tally{};
    bool dates_matter = true; ///< the node looks at Study Date

    /// An answer of a query that was narrowed to `part`; true where it is new.
    bool take(const Attributes& answer, const std::optional<Period>& part)
    {
        std::vector<Criterion> unconfirmed;
        std::string uid{value_of(answer, tags::StudyInstanceUID)};
        bool fits = uid::is_valid(uid) && agrees(row, Level::Study, answer, unconfirmed);
        if (level == Level::Series) {
            const auto series = value_of(answer, tags::SeriesInstanceUID);
            fits = fits && uid::is_valid(series) && agrees(row, Level::Series, answer, unconfirmed);
            uid.append("/").append(series);
        }
        dates_matter = dates_matter && (!part || part->may_hold(answer));
        if (!fits) {
            ++tally.dropped;
            return false;
        }
        return (level == Level::Series || may_have_modality(row, answer)) && spool.add(uid, answer);
    }
};

bool Finder::is_cut(const net::QueryOutcome& outcome) const
{
    if (outcome.status != net::status::Success) {
        return outcome.answers > 0 || is_out_of_resources(outcome.status);
    }
    return most_answers_ > 0 ? outcome.answers >= most_answers_
                             : std::find(round_numbers.begin(), round_numbers.end(), outcome.answers) !=
                                   round_numbers.end();
}

void Finder::gather(Gathering& gathering, const std::optional<Period>& part)
{
    Query query{gathering.level, gathering.keys};
    if (part) {
        part->put_into(query.keys);
    }
    const auto outcome =
        asker_.ask(query, [&](const Attributes& answer) { return gathering.take(answer, part); });
    if (!is_cut(outcome)) {
        if (outcome.status != net::status::Success) {
            throw refusal(asker_.node(), gathering.level, outcome);
        }
        return;
    }
    const auto halves = (part ? *part : Period::of(gathering.row)).halves();
    if (!halves || !gathering.dates_matter) {
        if (outcome.status != net::status::Success) {
            throw refusal(asker_.node(), gathering.level, outcome);
        }
        if (most_answers_ > 0) {
            throw Error{
                ErrorKind::Input, "cannot query", asker_.node(),
                fmt::format(
                    "it gives {} answers at most, and these cannot be asked for in parts", outcome.answers)};
        }
        gathering.tally.perhaps_cut = true;
        return;
    }
    ++gathering.tally.splits;
    const auto known = gathering.spool.size();
    gather(gathering, halves->first);
    if (gathering.dates_matter) {
        gather(gathering, halves->second);
    }
    if (most_answers_ == 0 && outcome.status == net::status::Success && gathering.spool.size() > known) {
        most_answers_ = outcome.answers;
        log::info("the node gives {} answers to a query at most: asking by date", outcome.answers);
    }
    if (!gathering.dates_matter) { // found out on the way: then nothing says that this is all
        gathering.tally.perhaps_cut = true;
    }
}

FindTally Finder::find(const Row& row, bool with_instances, const OnSeries& on_series)
{
    const bool relational = asker_.is_relational();
    Gathering gathering{
        .row = row,
        .level = relational ? Level::Series : Level::Study,
        .keys = keys_for(row, Level::Study, study_answers, asker_.settings())};
    if (relational) {
        gathering.keys.merge(keys_for(row, Level::Series, series_answers, asker_.settings()));
    }
    gather(gathering, std::nullopt);
    auto& tally = gathering.tally;
    while (auto answer = gathering.spool.next()) {
        std::vector<FoundSeries> all;
        if (relational) {
            std::string study{value_of(*answer, tags::StudyInstanceUID)};
            all.push_back(series_from(std::move(study), {}, *answer));
            static_cast<void>(agrees(row, Level::Study, all[0].attributes, all[0].unconfirmed));
            static_cast<void>(agrees(row, Level::Series, all[0].attributes, all[0].unconfirmed));
        } else {
            all = series(row, *answer, tally);
        }
        for (auto& found : all) {
            if (complete(row, found, with_instances, tally)) {
                ++tally.found;
                if (!on_series(std::move(found))) {
                    return tally;
                }
            }
        }
    }
    return tally;
}

FindTally Finder::find_studies(const Row& row, const OnStudy& on_study)
{
    Gathering gathering{
        .row = row,
        .level = Level::Study,
        .keys = keys_for(row, Level::Study, study_answers, asker_.settings())};
    gather(gathering, std::nullopt);
    while (const auto answer = gathering.spool.next()) {
        ++gathering.tally.found;
        if (!on_study(*answer)) {
            break;
        }
    }
    return gathering.tally;
}

std::vector<FoundSeries> Finder::series(const Row& row, const Attributes& study, FindTally& tally)
{
    const auto study_uid = std::string{value_of(study, tags::StudyInstanceUID)};
    Query query{Level::Series, keys_for(row, Level::Series, series_answers, asker_.settings())};
    query.keys[tags::StudyInstanceUID] = study_uid;
    std::vector<FoundSeries> all;
    std::set<std::string, std::less<>> seen;
    ask_for_all(query, [&](Attributes answer) {
        const std::string series_uid{value_of(answer, tags::SeriesInstanceUID)};
        const auto said = value_of(answer, tags::StudyInstanceUID);
        std::vector<Criterion> unconfirmed;
        const bool fits = uid::is_valid(series_uid) && (said.empty() || said == study_uid) &&
                          agrees(row, Level::Study, study, unconfirmed) &&
                          agrees(row, Level::Series, answer, unconfirmed);
        tally.dropped += fits ? 0 : 1;
        if (!fits || !seen.insert(series_uid).second) {
            return false;
        }
        all.push_back(series_from(study_uid, study, answer));
        all.back().unconfirmed = std::move(unconfirmed);
        return true;
    });
    return all;
}

/// Adds the instances where they are wanted; false where none is.
bool Finder::complete(const Row& row, FoundSeries& found, bool with_instances, FindTally& tally)
{
    const bool by_image = has_criterion(row, Level::Image);
    if (by_image || (with_instances && asker_.settings().lists_images)) {
        add_instances(row, found, tally);
    }
    return !by_image || !found.instances_known || !found.instances.empty();
}

void Finder::add_instances(const Row& row, FoundSeries& series, FindTally& tally)
{
    Query query{Level::Image, keys_for(row, Level::Image, image_answers, asker_.settings())};
    query.keys[tags::StudyInstanceUID] = series.study_uid;
    query.keys[tags::SeriesInstanceUID] = series.series_uid;
    series.some_instances_only = has_criterion(row, Level::Image);
    std::set<std::string, std::less<>> seen;
    std::uint64_t answers = 0;
    const auto take = [&](const Attributes& answer) {
        ++answers;
        const auto instance = value_of(answer, tags::SOPInstanceUID);
        const auto said = value_of(answer, tags::SeriesInstanceUID);
        std::vector<Criterion> unconfirmed;
        if (!uid::is_valid(instance) || (!said.empty() && said != series.series_uid) ||
            !agrees(row, Level::Image, answer, unconfirmed)) {
            ++tally.dropped;
            return false;
        }
        if (!seen.emplace(instance).second) {
            return false;
        }
        series.instances.push_back({std::string{instance}, std::string{value_of(answer, tags::SOPClassUID)}});
        for (auto& criterion : unconfirmed) {
            const auto known = [&](const Criterion& other) { return other.tag == criterion.tag; };
            if (std::none_of(series.unconfirmed.begin(), series.unconfirmed.end(), known)) {
                series.unconfirmed.push_back(std::move(criterion));
            }
        }
        return true;
    };
    const auto outcome = asker_.ask(query, take);
    const bool fewer = !series.some_instances_only && series.count && seen.size() < *series.count;
    if (outcome.status != net::status::Success || (fewer && is_cut(outcome))) {
        if (series.some_instances_only) {
            throw refusal(asker_.node(), Level::Image, outcome);
        }
        log::debug("the node does not list all instances: {}", net::status_text(outcome.status));
        series.instances.clear();
        return;
    }
    // A node that lists no instance at all of a series that it has does not answer at this level.
    series.instances_known = answers > 0 || series.some_instances_only;
}

/// Where an answer that is cut off cannot be asked for in parts, it is a failure.
void Finder::ask_for_all(const Query& query, const Asker::OnAnswer& on_answer)
{
    const auto outcome = asker_.ask(query, on_answer);
    if (outcome.status != net::status::Success) {
        throw refusal(asker_.node(), query.level, outcome);
    }
    if (most_answers_ > 0 && outcome.answers >= most_answers_) {
        throw Error{
            ErrorKind::Input, "cannot query", asker_.node(),
            fmt::format("it gives {} answers at most at level {}", most_answers_, name_of(query.level))};
    }
}

} // namespace dcmpipe::retrieve
