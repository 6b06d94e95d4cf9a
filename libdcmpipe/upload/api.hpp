#pragma once

#include <string_view>

namespace dcmpipe::upload {

/// What an HTTP API calls things: another API of the same manners is another row.
struct Api {
    std::string_view login_path;   ///< below the base URL: POST of a JSON object
    std::string_view username_key; ///< of that object
    std::string_view password_key;
    std::string_view token_key;   ///< of the answer: what goes into `Authorization: Bearer`
    std::string_view upload_path; ///< below the base URL: POST of a multipart form
    std::string_view file_field;  ///< of that form
    std::string_view id_key;      ///< of the answer: what the server calls the upload
};

/// As the DICOM Receiver documents it (rows DR-13, DR-15).
inline constexpr Api generic_api{
    .login_path = "/users/login/",
    .username_key = "username",
    .password_key = "password",
    .token_key = "access",
    .upload_path = "/data/upload/",
    .file_field = "file",
    .id_key = "id"};

} // namespace dcmpipe::upload
