#include "cli/found_list.hpp"

#include "dicom/dictionary.hpp"
#include "retrieve/info.hpp"

#include <cerrno>
#include <cstdio>

namespace dcmpipe::cli {

namespace {

Record record_of(const retrieve::Row& row, const retrieve::FoundSeries& series)
{
    Record record{std::filesystem::path{}};
    record.set("row", static_cast<std::int64_t>(row.number));
    for (const auto& [tag, value] : series.attributes) {
        record.set(dicom::dictionary::name_of(tag), value);
    }
    std::string unconfirmed;
    for (const auto& criterion : series.unconfirmed) {
        unconfirmed += (unconfirmed.empty() ? "" : "\\") + dicom::dictionary::name_of(criterion.tag);
    }
    if (!unconfirmed.empty()) {
        record.set("unconfirmed", unconfirmed);
    }
    return record;
}

void print(std::string_view line)
{
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0) {
        if (errno == EPIPE) {
            throw ClosedPipe{};
        }
        throw Error::from_errno(ErrorKind::Output, "cannot write", "stdout");
    }
}

} // namespace

FoundList::FoundList(Context& context, bool by_image, bool dry_run)
    : context_(context), json_(context.streams().json), by_image_(by_image), dry_run_(dry_run)
{
}

void FoundList::begin() const
{
    if (!json_) {
        print("row," + retrieve::info_header(by_image_));
    }
}

void FoundList::add(const retrieve::Row& row, const retrieve::FoundSeries& series) const
{
    if (!by_image_) {
        return add_one(row, series, nullptr);
    }
    for (const auto& instance : series.instances) {
        add_one(row, series, &instance);
    }
}

void FoundList::add_one(
    const retrieve::Row& row, const retrieve::FoundSeries& series,
    const retrieve::FoundInstance* instance) const
{
    if (!json_) {
        return print(std::to_string(row.number) + "," + retrieve::info_line(series, instance));
    }
    auto record = record_of(row, series);
    if (instance != nullptr) {
        record.set("SOPInstanceUID", instance->uid).set("SOPClassUID", instance->sop_class_uid);
    }
    if (dry_run_) {
        record.set("dry_run", true);
    }
    context_.emit(record);
}

} // namespace dcmpipe::cli
