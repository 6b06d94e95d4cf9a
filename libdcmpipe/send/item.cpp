#include "send/item.hpp"

#include "core/error.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <fmt/format.h>

namespace dcmpipe::send {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using dicom::ElementIndex;

namespace {

/// The bytes that belong to the data set: zeros behind its last element do not. A deflated one goes as it is.
std::uint64_t data_set_size(const dicom::Instance& instance)
{
    return instance.is_deflated() ? instance.bytes().size() - instance.data_set_offset()
                                  : instance.data_set().end_offset();
}

std::optional<Item> item_of(const dicom::Instance& instance, const fs::path& path)
{
    const auto& data_set = instance.data_set();
    if (instance.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage ||
        data_set.find(tags::DirectoryRecordSequence) != ElementIndex::None) {
        return std::nullopt;
    }
    Item item;
    item.path = path;
    item.sop_class_uid = instance.sop_class_uid();
    item.instance_uid = instance.instance_uid();
    item.transfer_syntax = instance.transfer_syntax();
    item.offset = instance.data_set_offset();
    item.size = data_set_size(instance);
    item.identity_removed = data_set.text(tags::PatientIdentityRemoved) == "YES";
    if (!dicom::uid::is_valid(item.sop_class_uid) || !dicom::uid::is_valid(item.instance_uid)) {
        throw Error{
            ErrorKind::Input, "cannot send", path.string(),
            "it has no SOP Class UID or no SOP Instance UID, or one that is none"};
    }
    if (!dicom::uid::is_valid(item.transfer_syntax)) {
        throw Error{ErrorKind::Input, "cannot send", path.string(), "its transfer syntax is no UID"};
    }
    return item;
}

} // namespace

Stamp stamp_of(const struct stat& status) noexcept
{
    return {
        static_cast<std::uint64_t>(status.st_size),
        std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::optional<Item> examine(const fs::path& path)
{
    const auto instance = dicom::Instance::open(path);
    auto item = item_of(instance, path);
    struct stat status {};
    if (::fstat(instance.file()->fd(), &status) != 0) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", path.string());
    }
    if (item) {
        item->stamp = stamp_of(status);
    }
    return item;
}

std::optional<Item> examine_entry(const fs::path& zip, std::uint64_t entry, const Stamp& stamp, int fd)
{
    const auto instance = dicom::Instance::open(fmt::format("/proc/self/fd/{}", fd));
    auto item = item_of(instance, zip);
    if (item) {
        item->entry = entry;
        item->stamp = stamp;
    }
    return item;
}

} // namespace dcmpipe::send
