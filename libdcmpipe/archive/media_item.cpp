#include "archive/media_item.hpp"

#include "archive/directory_record.hpp"
#include "archive/part10.hpp"
#include "core/error.hpp"
#include "core/file_bytes.hpp"
#include "core/output_file.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

namespace {

constexpr std::array identifying{tags::SOPClassUID, tags::SOPInstanceUID};
constexpr std::array placing{tags::StudyInstanceUID, tags::SeriesInstanceUID, tags::Modality};

Error trouble(const fs::path& path, std::string_view reason)
{
    return {ErrorKind::Input, "cannot put on media", path.string(), reason};
}

bool looks_like_dicom(const fs::path& path)
{
    try {
        return dicom::has_prefix(FileBytes::open(path).view()) ||
               !dicom::Instance::open_head(path, tags::SOPClassUID).sop_class_uid().empty();
    } catch (const Error&) {
        return false;
    }
}

/// A DICOMDIR under whatever name (some media call a copy DIRFILE), also where it does not say what it is.
bool is_directory(const dicom::Instance& instance)
{
    return instance.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage ||
           instance.data_set().find(tags::DirectoryRecordSequence) != dicom::ElementIndex::None;
}

long number_of(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" +"), text.size()));
    long number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

void require(const dicom::Instance& instance, std::span<const dicom::Tag> needed)
{
    const auto missing = std::find_if(
        needed.begin(), needed.end(), [&](auto tag) { return instance.data_set().text(tag).empty(); });
    if (missing != needed.end()) {
        throw trouble(instance.name(), fmt::format("it has no {}", dicom::dictionary::name_of(*missing)));
    }
}

FileState state_of(int fd, const fs::path& name)
{
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw Error::from_errno(ErrorKind::Input, "cannot read", name.string());
    }
    return {
        status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
        status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec};
}

void check_unchanged(const MediaItem& item, int fd)
{
    if (state_of(fd, item.source) != item.state) {
        throw trouble(item.source, "it changed meanwhile");
    }
}

ReadInput read_instance(const fs::path& source, const dicom::Instance& instance, const MediaProfile& profile)
{
    const auto& data_set = instance.data_set();
    require(instance, identifying);
    ReadInput read;
    auto& item = read.item;
    item.source = source;
    item.instance_uid = instance.instance_uid();
    item.sop_class_uid = instance.sop_class_uid();
    item.type = record_type_of(item.sop_class_uid, data_set);
    if (item.type == nullptr) {
        throw trouble(source, "no directory record is known for its SOP class");
    }
    if (profile.more_keys) {
        item.type = with_more(item.type);
    }
    item.transfer_syntax = syntax_of(instance);
    if (!profile.allows(item.transfer_syntax)) {
        throw trouble(source, fmt::format("{} does not allow its transfer syntax", profile.name));
    }
    if (!item.type->is_root) {
        require(instance, placing);
        const auto patient = data_set.text(tags::PatientID);
        item.patient = patient.empty() ? data_set.text(tags::PatientName) : patient;
        item.study_uid = instance.study_uid();
        item.series_uid = instance.series_uid();
        item.number = number_of(data_set.text(tags::InstanceNumber));
    }
    try {
        read.keys = record_keys(*item.type, data_set, std::nullopt);
    } catch (const Error& error) {
        throw trouble(source, error.reason());
    }
    item.is_part10 = is_part10(instance);
    item.state = state_of(instance.file()->fd(), source);
    return read;
}

dicom::Instance open_or_refuse(const fs::path& file, bool& is_dicom)
{
    try {
        return dicom::Instance::open(file);
    } catch (const Error&) {
        is_dicom = looks_like_dicom(file);
        throw;
    }
}

/// Calls `use` with the bytes that go onto media.
template <class Use>
auto with_bytes(const MediaItem& item, Use use)
{
    if (!item.is_part10) {
        const auto instance = reopen(item);
        return use(part10_of(instance), *instance.file());
    }
    const auto file = FileBytes::open(item.source);
    check_unchanged(item, file.fd());
    Rope bytes;
    bytes.borrow(file.view());
    return use(bytes, file);
}

bool stands_there(const Rope& bytes, const fs::path& target)
{
    struct stat status {};
    return ::stat(target.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           static_cast<std::uint64_t>(status.st_size) == bytes.size() &&
           bytes.equals(FileBytes::open(target).view());
}

} // namespace

ReadInput read_input(const fs::path& file, const MediaProfile& profile)
{
    bool is_dicom = true;
    try {
        const auto instance = open_or_refuse(file, is_dicom);
        if (is_directory(instance)) {
            return {MediaInput::Directory};
        }
        if (!dicom::has_prefix(instance.bytes()) && instance.sop_class_uid().empty()) {
            return {MediaInput::NotDicom};
        }
        return read_instance(file, instance, profile);
    } catch (const Error&) {
        if (is_dicom) {
            throw;
        }
    }
    FileBytes::open(file); // what cannot be read at all is no stray file
    return {MediaInput::NotDicom};
}

dicom::Instance reopen(const MediaItem& item)
{
    auto instance = dicom::Instance::open(item.source);
    check_unchanged(item, instance.file()->fd());
    return instance;
}

std::uint64_t copy_item(const MediaItem& item, const fs::path& folder)
{
    const auto target = folder / item.file_id;
    return with_bytes(item, [&](const Rope& bytes, const FileBytes& source) {
        if (!stands_there(bytes, target)) {
            OutputFile file{target};
            bytes.write_to(file.fd(), &source, target);
            file.appear(Existing::Replace);
        }
        return bytes.size();
    });
}

bool stands_as(const MediaItem& item, const fs::path& file)
{
    return with_bytes(item, [&](const Rope& bytes, const FileBytes&) { return stands_there(bytes, file); });
}

} // namespace dcmpipe::archive
