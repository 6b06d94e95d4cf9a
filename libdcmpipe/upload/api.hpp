#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dcmpipe::upload {

/// What an API may want to be told of a study beside its file. All of it de-identified already.
struct StudyFacts {
    std::string patient_id;
    std::string study_uid;
    std::string study_date;
    std::string study_description;
    std::uint64_t series = 0;
    std::uint64_t instances = 0;
};

/// Fields of a form that stand before the file: name and text.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// What an HTTP API calls things: another API of the same manners is another row.
struct Api {
    std::string_view name;
    std::string_view login_path;   ///< below the base URL: POST of a JSON object; empty: a token is needed
    std::string_view username_key; ///< of that object
    std::string_view password_key;
    std::string_view token_key;    ///< of the answer
    std::string_view token_header; ///< what goes before the token
    std::string_view upload_path;  ///< below the base URL: POST of a multipart form
    std::string_view file_field;   ///< of that form
    /// Its other fields, of the file's name and the study in it; null: none.
    Fields (*fields)(const std::string& filename, const StudyFacts& study) = nullptr;
    bool wants_facts = false;  ///< `fields` looks at the study
    bool answers_json = true;  ///< success has a JSON object as its body
    std::string_view id_key{}; ///< of the answer: what the server calls the upload
};

/// `generic` as the DICOM Receiver documents it (rows DR-13, DR-15), `laminate` as its code does it,
/// `pixieveil` (PV-10), `ith` (IP-15).
std::span<const Api> form_apis();

} // namespace dcmpipe::upload
