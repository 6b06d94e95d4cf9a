#include "retrieve/finder.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/transfer_syntax.hpp"
#include "dicom/uid.hpp"
#include "retrieve/identifier.hpp"
#include "retrieve/matching.hpp"

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

template <std::size_t N>
Attributes keys_for(const Row& row, Level level, const std::array<dicom::Tag, N>& answers)
{
    Attributes keys;
    for (const auto tag : answers) {
        keys[tag];
    }
    for (const auto& criterion : row.criteria) {
        if (level_of(criterion.tag) == level) {
            keys[criterion.tag] = criterion.key;
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

} // namespace

FindTally Finder::find(const Row& row, bool with_instances, const OnSeries& on_series)
{
    FindTally tally;
    for (const auto& study : studies(row, tally)) {
        for (auto& found : series(row, study, tally)) {
            const bool by_image = has_criterion(row, Level::Image);
            if (with_instances || by_image) {
                add_instances(row, found, tally);
            }
            if (by_image && found.instances_known && found.instances.empty()) {
                continue;
            }
            ++tally.series;
            on_series(std::move(found));
        }
    }
    return tally;
}

std::vector<Attributes> Finder::studies(const Row& row, FindTally& tally)
{
    auto answers = ask({Level::Study, keys_for(row, Level::Study, study_answers)});
    std::set<std::string, std::less<>> seen;
    std::erase_if(answers, [&](const Attributes& answer) {
        std::vector<Criterion> unconfirmed;
        const auto study = value_of(answer, tags::StudyInstanceUID);
        const bool fits = uid::is_valid(study) && agrees(row, Level::Study, answer, unconfirmed);
        tally.dropped += fits ? 0 : 1;
        return !fits || !seen.emplace(study).second;
    });
    tally.studies += answers.size();
    std::erase_if(answers, [&](const Attributes& answer) { return !may_have_modality(row, answer); });
    return answers;
}

std::vector<FoundSeries> Finder::series(const Row& row, const Attributes& study, FindTally& tally)
{
    const auto study_uid = std::string{value_of(study, tags::StudyInstanceUID)};
    auto keys = keys_for(row, Level::Series, series_answers);
    keys[tags::StudyInstanceUID] = study_uid;
    std::vector<FoundSeries> all;
    std::set<std::string, std::less<>> seen;
    for (auto& answer : ask({Level::Series, std::move(keys)})) {
        FoundSeries found{.study_uid = study_uid};
        found.series_uid = value_of(answer, tags::SeriesInstanceUID);
        const auto said = value_of(answer, tags::StudyInstanceUID);
        const bool fits = uid::is_valid(found.series_uid) && (said.empty() || said == study_uid) &&
                          agrees(row, Level::Study, study, found.unconfirmed) &&
                          agrees(row, Level::Series, answer, found.unconfirmed);
        if (!fits) {
            ++tally.dropped;
        } else if (seen.insert(found.series_uid).second) {
            found.count = count_from(value_of(answer, tags::NumberOfSeriesRelatedInstances));
            found.attributes = study;
            for (auto& [tag, value] : answer) {
                if (!value.empty()) {
                    found.attributes.insert_or_assign(tag, std::move(value));
                }
            }
            all.push_back(std::move(found));
        }
    }
    return all;
}

void Finder::add_instances(const Row& row, FoundSeries& series, FindTally& tally)
{
    auto keys = keys_for(row, Level::Image, image_answers);
    keys[tags::StudyInstanceUID] = series.study_uid;
    keys[tags::SeriesInstanceUID] = series.series_uid;
    series.some_instances_only = has_criterion(row, Level::Image);
    std::vector<Attributes> answers;
    try {
        answers = ask({Level::Image, std::move(keys)});
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::Input || series.some_instances_only) {
            throw;
        }
        log::debug("the node does not list instances: {}", error.reason());
        return;
    }
    std::set<std::string, std::less<>> seen;
    for (const auto& answer : answers) {
        const auto instance = value_of(answer, tags::SOPInstanceUID);
        const auto said = value_of(answer, tags::SeriesInstanceUID);
        std::vector<Criterion> unconfirmed;
        if (!uid::is_valid(instance) || (!said.empty() && said != series.series_uid) ||
            !agrees(row, Level::Image, answer, unconfirmed)) {
            ++tally.dropped;
        } else if (seen.emplace(instance).second) {
            series.instances.push_back(
                {std::string{instance}, std::string{value_of(answer, tags::SOPClassUID)}});
            for (auto& criterion : unconfirmed) {
                const auto known = [&](const Criterion& other) { return other.tag == criterion.tag; };
                if (std::none_of(series.unconfirmed.begin(), series.unconfirmed.end(), known)) {
                    series.unconfirmed.push_back(std::move(criterion));
                }
            }
        }
    }
    // A node that lists no instance at all of a series that it has does not answer at this level.
    series.instances_known = !answers.empty() || series.some_instances_only;
}

/// An association that lay idle may be gone by now: the first failure is met with a new one, more with
/// pauses.
std::vector<Attributes> Finder::ask(const Query& query)
{
    for (unsigned retry = 0;; ++retry) {
        if (retry > 1) {
            connection_.pause(retry - 1);
        }
        try {
            return ask_once(query);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Input) {
                association_.reset();
            }
            if (error.kind() != ErrorKind::Peer || !connection_.reached() ||
                retry > connection_.settings().retries) {
                throw;
            }
            log::warning("{}; asking again", error.what());
        }
    }
}

std::vector<Attributes> Finder::ask_once(const Query& query)
{
    using namespace dicom::transfer_syntax;
    if (!association_) {
        association_.emplace(connection_.call(
            {{.abstract_syntax = std::string{uid::StudyRootFind},
              .transfer_syntaxes = {
                  std::string{ExplicitVRLittleEndian}, std::string{ImplicitVRLittleEndian}}}}));
    }
    const auto* const context = association_->context_for(uid::StudyRootFind);
    if (context == nullptr) {
        throw Error{
            ErrorKind::Usage, "cannot query", association_->peer(),
            "it does not offer C-FIND of the Study Root model to us"};
    }
    const auto identifier =
        encode_identifier(query.keys, query.level, context->transfer_syntax, character_set_);
    std::vector<Attributes> answers;
    const auto outcome = net::find(*association_, *context, identifier, [&](std::string_view answer) {
        answers.push_back(decode_identifier(answer, context->transfer_syntax));
        return true;
    });
    if (outcome.status != net::status::Success) {
        throw Error{
            ErrorKind::Input, "cannot query", association_->peer(),
            fmt::format(
                "status {} at level {} after {} answers", net::status_text(outcome.status),
                name_of(query.level), outcome.answers)};
    }
    return answers;
}

void Finder::release()
{
    if (association_) {
        hang_up(*association_);
        association_.reset();
    }
}

} // namespace dcmpipe::retrieve
