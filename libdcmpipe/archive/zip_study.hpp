#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace dcmpipe::archive {

/// What the instances in a ZIP say of their study; texts in UTF-8.
struct ZipStudy {
    std::string patient_id;
    std::string study_uid;
    std::string study_date;
    std::string study_description;
    std::uint64_t series = 0;
    std::uint64_t instances = 0;
};

/// Reads the head of each instance in an open ZIP; the texts are the first instance's. `name` is for errors.
/// Throws Error{Input} where it is no ZIP or holds no instance.
ZipStudy study_in_zip(int fd, const std::filesystem::path& name, const std::string& password = {});

} // namespace dcmpipe::archive
