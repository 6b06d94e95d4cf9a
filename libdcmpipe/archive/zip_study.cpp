#include "archive/zip_study.hpp"

#include "core/error.hpp"
#include "core/fd.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"
#include "dicom/tags.hpp"
#include "dicom/values.hpp"

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

/// What an instance says of its study stands in here, far before the pixels.
constexpr std::size_t head_size = 256 * 1024;

struct Discard {
    void operator()(zip_t* zip) const { ::zip_discard(zip); }
};
struct Close {
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
};

/// The head of an entry; nothing where it is no instance.
std::optional<dicom::Instance> head_of(zip_t* zip, std::uint64_t index, int memory)
{
    const std::unique_ptr<zip_file_t, Close> entry{::zip_fopen_index(zip, index, 0)};
    std::vector<char> bytes(head_size);
    std::size_t size = 0;
    for (zip_int64_t got = 1; entry && got > 0 && size < bytes.size();
         size += static_cast<std::size_t>(got)) {
        got = std::max<zip_int64_t>(::zip_fread(entry.get(), bytes.data() + size, bytes.size() - size), 0);
    }
    const auto path = fmt::format("/proc/self/fd/{}", memory);
    if (::ftruncate(memory, 0) != 0 || ::lseek(memory, 0, SEEK_SET) != 0) {
        return std::nullopt;
    }
    write_all(memory, {bytes.data(), size}, path);
    try {
        return dicom::Instance::open_head(path, dicom::tags::SeriesInstanceUID);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string text_of(const dicom::Instance& instance, dicom::Tag tag)
{
    const auto& index = instance.data_set();
    const auto found = index.find(tag);
    if (found == dicom::ElementIndex::None) {
        return {};
    }
    const dicom::CharacterSet characters{index.text(dicom::tags::SpecificCharacterSet)};
    const auto values = dicom::values_of(index, index[found], characters);
    return values.empty() ? std::string{} : values.front();
}

} // namespace

ZipStudy study_in_zip(int fd, const fs::path& name, const std::string& password)
{
    int code = 0;
    const std::unique_ptr<zip_t, Discard> zip{
        ::zip_open(fmt::format("/proc/self/fd/{}", fd).c_str(), ZIP_RDONLY, &code)};
    const Fd memory{::memfd_create("dcmpipe-head", MFD_CLOEXEC)};
    if (!zip || !memory ||
        (!password.empty() && ::zip_set_default_password(zip.get(), password.c_str()) != 0)) {
        throw Error{ErrorKind::Input, "cannot read the ZIP", name.string(), "it cannot be opened"};
    }
    ZipStudy study;
    std::set<std::string> series;
    const auto entries = static_cast<std::uint64_t>(::zip_get_num_entries(zip.get(), 0));
    for (std::uint64_t index = 0; index < entries; ++index) {
        const auto head = head_of(zip.get(), index, memory.get());
        if (!head || head->study_uid().empty()) {
            continue;
        }
        if (study.instances++ == 0) {
            study.patient_id = text_of(*head, dicom::tags::PatientID);
            study.study_uid = head->study_uid();
            study.study_date = text_of(*head, dicom::tags::StudyDate);
            study.study_description = text_of(*head, dicom::tags::StudyDescription);
        }
        series.emplace(head->series_uid());
    }
    if (study.instances == 0) {
        throw Error{ErrorKind::Input, "cannot upload", name.string(), "no instance in it"};
    }
    study.series = series.size();
    return study;
}

} // namespace dcmpipe::archive
