#include "upload/api.hpp"

#include <array>
#include <filesystem>

#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

namespace {

constexpr std::string_view bearer = "Authorization: Bearer ";

std::string stem_of(const std::string& filename)
{
    return std::filesystem::path{filename}.stem().string();
}

/// One JSON text for the study: as separate fields only its keys would arrive (QIP7).
Fields ith_fields(const std::string& filename, const StudyFacts& study)
{
    const nlohmann::ordered_json metadata{
        {"study_uid", study.study_uid},
        {"study_date", study.study_date},
        {"series_count", study.series},
        {"instances_count", study.instances}};
    return {
        {"name", stem_of(filename)},
        {"patient_id", study.patient_id},
        {"study_description", study.study_description},
        {"metadata", metadata.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
        {"conflict_resolution", "skip_existing"}};
}

constexpr Api generic{
    .name = "generic",
    .login_path = "/users/login/",
    .username_key = "username",
    .password_key = "password",
    .token_key = "access",
    .token_header = bearer,
    .upload_path = "/data/upload/",
    .file_field = "file",
    .id_key = "id"};

const std::array<Api, 4> all{
    generic,
    Api{.name = "laminate",
        .login_path = "/users/login/",
        .username_key = "username_or_email",
        .password_key = "password",
        .token_key = "access",
        .token_header = bearer,
        .upload_path = "/data/datasets/",
        .file_field = "file",
        .fields =
            [](const std::string& filename, const StudyFacts&) {
                return Fields{{"name", stem_of(filename)}};
            },
        .id_key = "id"},
    Api{.name = "pixieveil",
        .token_header = bearer,
        .upload_path = "/upload",
        .file_field = "file",
        .fields =
            [](const std::string& filename, const StudyFacts&) {
                return Fields{{"remote_path", "studies/" + filename}};
            },
        .answers_json = false},
    Api{.name = "ith",
        .token_header = "X-Proxy-Key: ",
        .upload_path = "/archives/upload",
        .file_field = "file",
        .fields = &ith_fields,
        .wants_facts = true,
        .id_key = "id"}};

} // namespace

std::span<const Api> form_apis()
{
    return all;
}

} // namespace dcmpipe::upload
