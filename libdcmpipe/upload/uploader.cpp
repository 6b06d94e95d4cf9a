#include "upload/uploader.hpp"

#include "core/utc_time.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::upload {

namespace {

Entrance entrance_of(const Api& api, const std::string& base)
{
    return {
        .login_url = api.login_path.empty() ? std::string{} : base + std::string{api.login_path},
        .username_key = std::string{api.username_key},
        .password_key = std::string{api.password_key},
        .token_key = std::string{api.token_key},
        .token_header = std::string{api.token_header}};
}

/// The text of a key of a JSON object, numbers too; empty where the body is none or lacks the key.
std::string text_of(const nlohmann::json& body, std::string_view key)
{
    const auto found = body.find(key);
    if (found == body.end() || found->is_null() || found->is_structured()) {
        return {};
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
}

/// A proxy that greets with a page of its own says 200 as well.
bool is_a_page(std::string_view body)
{
    const auto first = body.find_first_not_of(" \t\r\n");
    return first != body.npos && body[first] == '<';
}

} // namespace

Uploader::Uploader(const Api& api, const UploadSettings& settings, Credentials credentials)
    : api_(api), upload_url_(checked_url(settings.url)),
      session_(
          entrance_of(api, upload_url_), std::move(credentials), settings.http, settings.max_retries,
          settings.backoff)
{
    upload_url_ += api.upload_path;
}

std::optional<Setback> Uploader::judge(const HttpAnswer& answer, const Parcel& parcel, Receipt& receipt) const
{
    if (auto setback = setback_in(answer, "cannot upload", parcel.path().string())) {
        return setback;
    }
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    if (api_.answers_json ? !body.is_object() : is_a_page(answer.body)) {
        return Setback{
            Verdict::Refused, Error{
                                  ErrorKind::Output, "cannot upload", parcel.path().string(),
                                  says(answer) + " without a JSON object: is it the API?"}};
    }
    receipt = {upload_url_, {}, parcel.size(), utc_now(), answer.status, text_of(body, api_.id_key)};
    return std::nullopt;
}

Receipt Uploader::send(Parcel& parcel, const std::string& key, const StudyFacts& study, int& refused_by)
{
    const auto idempotency = "Idempotency-Key: " + (key.empty() ? parcel.sha256() : key);
    const auto filename = parcel.path().filename().string();
    const FormFile file{
        api_.fields != nullptr ? api_.fields(filename, study) : Fields{}, std::string{api_.file_field},
        filename, parcel};
    Receipt receipt;
    session_.exchange([&](HttpClient& http, const std::string& authorization) {
        const auto answer = http.post_file(upload_url_, file, {authorization, idempotency});
        auto setback = judge(answer, parcel, receipt);
        refused_by = is_about_the_file(answer.status) ? answer.status : 0;
        return setback;
    });
    parcel.require_whole(); // a server may say that it has it before it was sent all
    receipt.sha256 = parcel.sha256();
    parcel.check_unchanged();
    return receipt;
}

} // namespace dcmpipe::upload
