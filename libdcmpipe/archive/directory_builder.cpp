#include "archive/directory_builder.hpp"

#include "archive/directory_record.hpp"
#include "archive/media_plan.hpp"
#include "core/error.hpp"

#include <optional>

namespace dcmpipe::archive {

namespace {

void count(const std::list<DirectoryRecord>& records, MediaCounts& counts)
{
    for (const auto& record : records) {
        counts.patients += record.type == patient_record.name ? 1 : 0;
        counts.studies += record.type == study_record.name ? 1 : 0;
        counts.series += record.type == series_record.name ? 1 : 0;
        counts.instances += record.reference.empty() ? 0 : 1;
        count(record.below, counts);
    }
}

} // namespace

MediaCounts count(const Directory& directory)
{
    MediaCounts counts;
    count(directory.roots, counts);
    return counts;
}

DirectoryBuilder::DirectoryBuilder(Directory& directory, bool more_keys)
    : directory_(directory), patient_(more_keys ? patient_record_with_more : patient_record),
      series_(more_keys ? series_record_with_more : series_record)
{
    for (auto& root : directory.roots) {
        if (root.type == patient_record.name) {
            index(root, {});
        }
    }
}

void DirectoryBuilder::index(DirectoryRecord& record, const std::string& above)
{
    const auto key = place_key(record, above);
    places_.try_emplace(key, &record);
    for (auto& below : record.below) {
        if (below.type == study_record.name || below.type == series_record.name) {
            index(below, key);
        }
    }
}

void DirectoryBuilder::add(const MediaItem& item)
{
    std::optional<dicom::Instance> instance;
    const auto keys_of = [&](const RecordType& type, std::size_t sisters) {
        if (!instance) {
            instance.emplace(reopen(item));
        }
        try {
            const auto place = static_cast<std::uint32_t>(sisters + 1);
            return directory_.keep(*record_keys(type, instance->data_set(), place));
        } catch (const Error& error) {
            throw Error{ErrorKind::Input, "cannot put on media", item.source.string(), error.reason()};
        }
    };
    const auto record_of = [&](const RecordType& type, const std::string& key,
                               std::list<DirectoryRecord>& sisters) {
        const auto found = places_.find(key);
        if (found != places_.end()) {
            return found->second;
        }
        const auto keys = keys_of(type, sisters.size());
        auto& made = sisters.emplace_back(DirectoryRecord{type.name, {}, keys});
        return places_.emplace(key, &made).first->second;
    };
    auto* sisters = &directory_.roots;
    if (!item.type->is_root) {
        sisters = &record_of(patient_, patient_key(item.patient), *sisters)->below;
        sisters = &record_of(study_record, study_key(item.patient, item.study_uid), *sisters)->below;
        sisters =
            &record_of(series_, series_key(item.patient, item.study_uid, item.series_uid), *sisters)->below;
    }
    const auto keys = item.keys ? *item.keys : keys_of(*item.type, sisters->size());
    const auto reference =
        record_reference(item.file_id, item.sop_class_uid, item.instance_uid, item.transfer_syntax);
    sisters->push_back({item.type->name, directory_.keep(reference), keys});
}

} // namespace dcmpipe::archive
