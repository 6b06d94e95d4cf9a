/// \file dpipe-upload: send ZIPs to an HTTP API or studies by STOW-RS, each once, and print which are there.

#include "archive/zip_check.hpp"
#include "archive/zip_study.hpp"
#include "cli/command.hpp"
#include "core/files.hpp"
#include "core/secret.hpp"
#include "core/utc_time.hpp"
#include "upload/stow.hpp"
#include "upload/uploader.hpp"

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-upload",
    .summary = "Send ZIPs to an HTTP API, or studies by STOW-RS, each once, with retries and a receipt.",
    .usage = "--url URL (--token-file FILE | --username NAME --password-file FILE) [OPTIONS] INPUT...",
    .examples =
        "  dpipe-upload --url https://host/api --token-file token zips/*.zip\n"
        "  dpipe-zip -o zips/ anon/*/*/ | dpipe-upload --url $URL --username me --password-file pw -\n"
        "  dpipe-upload --api stow --url https://host/dicom-web --token-file token anon/*/*/\n"};

struct Options {
    upload::UploadSettings upload;
    const upload::Api* api = upload::form_apis().data(); ///< null: STOW-RS
    upload::StowBatch batch;
    cli::Size batch_bytes{batch.bytes};
    cli::Size bandwidth;
    upload::CredentialSources credentials;
    std::optional<fs::path> zip_password_file;
    bool remove_source = false;
    bool retry_failed = false;
    bool dry_run = false;
};

void declare(cli::Words& words, Options& options)
{
    auto& upload = options.upload;
    words.inputs("INPUT", "a ZIP file, with --api stow a study folder; '-' reads them from stdin");
    words.option("--url", upload.url, "URL", "the API: https://host/api").required();
    std::vector<std::pair<std::string_view, const upload::Api*>> apis;
    for (const auto& api : upload::form_apis()) {
        apis.emplace_back(api.name, &api);
    }
    apis.emplace_back("stow", nullptr);
    words.choice("--api", options.api, apis, "what the API calls things").shows("generic");
    words.option("--username", options.credentials.username, "NAME", "log in by this name");
    words
        .option(
            "--password-file", options.credentials.password_file, "FILE", "its first line is the password")
        .shows("the environment's DPIPE_PASSWORD");
    words.option("--token-file", options.credentials.token_file, "FILE", "its first line is a token")
        .shows("the environment's DPIPE_TOKEN");
    words.refuse_secret("--password", "--password-file, or DPIPE_PASSWORD in the environment");
    words.refuse_secret("--token", "--token-file, or DPIPE_TOKEN in the environment");
    words.option("--max-retries", upload.max_retries, "N", "tries after the first").shows("3");
    words
        .option(
            "--retry-delay", upload.backoff.first, "SECONDS",
            "before the second try; doubles from there, up to 10 minutes")
        .shows("5");
    words.flag(
        "--retry-failed", options.retry_failed, "send ZIPs again that the server once refused for good");
    words.option("--batch-bytes", options.batch_bytes, "SIZE", "STOW-RS: bytes in a request, about, at most")
        .shows("128M");
    words
        .option("--batch-instances", options.batch.instances, "N", "STOW-RS: instances in a request, at most")
        .shows("200");
    words.flag(
        "--remove-source", options.remove_source,
        "delete a ZIP once the server has it and its receipt is safe");
    words
        .option(
            "--zip-password-file", options.zip_password_file, "FILE",
            "the password of encrypted ZIPs, to check them by")
        .shows("the environment's DPIPE_ZIP_PASSWORD");
    words.dry_run(options.dry_run);
    words.group("Connection");
    words
        .option(
            "--ca-file", upload.http.ca_file, "FILE",
            "trust the certificates in FILE (PEM), not the system's")
        .alias("tls-ca");
    words.option(
        "--tls-cert", upload.http.certificate, "FILE", "our certificate (PEM), where the server asks");
    words.option("--tls-key", upload.http.key, "FILE", "its key (PEM), where it is not in the same file");
    words.option("--proxy", upload.http.proxy, "URL", "go through this proxy").shows("the environment's");
    words.option(
        "--unix-socket", upload.http.unix_socket, "FILE", "connect to this socket of the same machine");
    words.option("--bandwidth", options.bandwidth, "SIZE", "send so many bytes a second at most: 500K");
    words
        .option(
            "--timeout", upload.http.idle_timeout, "SECONDS",
            "give a try up when less than 1 KiB/s moves so long")
        .shows("60");
}

/// Sends ZIPs as forms.
class ZipSender {
public:
    ZipSender(const Options& options, const upload::UploadSettings& settings)
        : options_(options), zip_password_(read_secret(options.zip_password_file, "DPIPE_ZIP_PASSWORD")),
          uploader_(*options.api, settings, upload::read_credentials(options.credentials))
    {
    }

    Record send(const fs::path& zip)
    {
        auto receipt = upload::find_receipt(zip, uploader_.url());
        if (receipt && options_.remove_source && !fs::exists(zip)) {
            return record_of(zip, *receipt, Status::Skipped);
        }
        auto parcel = upload::Parcel::open(zip);
        receipt = upload::find_receipt(zip, uploader_.url()); // again: now nobody else uploads it
        const bool known = receipt && receipt->sha256 == parcel.sha256();
        if (!known) {
            check_refusal(zip, parcel);
            if (options_.dry_run) {
                archive::check_zip(parcel.fd(), zip, zip_password_);
                return Record{zip}
                    .set("sha256", parcel.sha256())
                    .set("bytes", static_cast<std::int64_t>(parcel.size()))
                    .set("dry_run", true);
            }
            receipt = post(zip, parcel);
            upload::keep_receipt(zip, *receipt);
            upload::forget_refusal(zip);
        }
        if (options_.remove_source && !options_.dry_run) {
            parcel.remove();
        }
        return record_of(zip, *receipt, known ? Status::Skipped : Status::Ok);
    }

private:
    static Record record_of(const fs::path& zip, const upload::Receipt& receipt, Status status)
    {
        return Record{zip, status}
            .set("id", receipt.id)
            .set("http_status", std::int64_t{receipt.http_status})
            .set("sha256", receipt.sha256)
            .set("bytes", static_cast<std::int64_t>(receipt.bytes))
            .set("receipt", upload::receipt_file(zip).string());
    }

    /// What was refused for good is not tried at every run of a timer.
    void check_refusal(const fs::path& zip, upload::Parcel& parcel) const
    {
        const auto refusal = upload::find_refusal(zip, uploader_.url());
        if (refusal && !options_.retry_failed && refusal->sha256 == parcel.sha256()) {
            throw Error{
                ErrorKind::Output, "cannot upload", zip.string(),
                fmt::format(
                    "the server refused it with {} at {} (--retry-failed sends it again)",
                    refusal->http_status, refusal->time)};
        }
    }

    upload::Receipt post(const fs::path& zip, upload::Parcel& parcel)
    {
        const auto check = std::make_shared<archive::ZipCheck>(parcel.fd(), zip, zip_password_);
        parcel.hold_for([check](std::chrono::milliseconds wait) { return check->is_whole(wait); });
        upload::StudyFacts facts;
        if (options_.api->wants_facts) {
            const auto study = archive::study_in_zip(parcel.fd(), zip, zip_password_);
            facts = {study.patient_id,        study.study_uid, study.study_date,
                     study.study_description, study.series,    study.instances};
        }
        int refused_by = 0;
        try {
            return uploader_.send(parcel, check->content(), facts, refused_by);
        } catch (const Error&) {
            if (refused_by != 0) {
                upload::keep_refusal(
                    zip, {uploader_.url(), parcel.sha256(), parcel.size(), utc_now(), refused_by, ""});
            }
            throw;
        }
    }

    const Options& options_;
    std::string zip_password_;
    upload::Uploader uploader_;
};

Record send_instances(const fs::path& input, upload::StowSender& sender, bool dry_run)
{
    const auto result = dry_run ? sender.plan(input) : sender.send(input);
    Record record{input, result.sent > 0 ? Status::Ok : Status::Skipped};
    if (!result.failures.empty()) {
        const auto& first = result.failures.front();
        throw Error{
            first.kind(), "cannot upload all of", input.string(),
            fmt::format(
                "{} failed, {} stored, the first: '{}': {}", result.failures.size(),
                result.sent + result.skipped, first.subject(), first.reason())};
    }
    if (dry_run) {
        record.set("dry_run", true);
    }
    return record.set("instances", static_cast<std::int64_t>(result.sent + result.skipped))
        .set("sent", static_cast<std::int64_t>(result.sent))
        .set("bytes", static_cast<std::int64_t>(result.bytes))
        .set("receipt", result.receipt.string());
}

/// The next file may fare better, or would meet the same.
bool is_about_one_file(ErrorKind kind)
{
    return kind == ErrorKind::Input || kind == ErrorKind::Output;
}

/// What is to go out of an input, for the time left; what cannot be read is for send() to say.
std::uint64_t size_of(const fs::path& input)
{
    std::uint64_t bytes = 0;
    try {
        for (const auto& file : files_below(input)) {
            std::error_code error;
            const auto size = fs::file_size(file, error);
            bytes += error ? 0 : size;
        }
    } catch (const Error&) {
        return 0;
    }
    return bytes;
}

void upload_with(const std::function<Record(const fs::path&)>& send, cli::Context& context)
{
    while (const auto input = context.next_input()) {
        try {
            context.progress().expect_bytes(size_of(*input));
            context.emit(send(*input));
            context.progress().add(1, 0);
        } catch (const Error& error) {
            if (is_about_one_file(error.kind())) {
                context.fail(*input, error);
                continue;
            }
            if (error.kind() != ErrorKind::Cancelled) {
                context.emit(Record{*input, Status::Failed, error.reason()});
            }
            throw;
        }
    }
}

void upload_all(const Options& options, cli::Context& context)
{
    context.require_inputs();
    auto settings = options.upload;
    settings.http.bytes_per_second = options.bandwidth.bytes;
    settings.http.on_sent = [&](std::uint64_t bytes) { context.progress().add(0, bytes); };
    if (options.api != nullptr) {
        ZipSender sender{options, settings};
        upload_with([&](const fs::path& zip) { return sender.send(zip); }, context);
        return;
    }
    if (options.remove_source) {
        throw Error{ErrorKind::Usage, "--remove-source is for ZIPs: dpipe-clean removes study folders"};
    }
    auto batch = options.batch;
    batch.bytes = options.batch_bytes.bytes;
    if (batch.instances == 0) {
        throw Error{ErrorKind::Usage, "--batch-instances must be 1 or more"};
    }
    upload::StowSender sender{settings, upload::read_credentials(options.credentials), batch};
    upload_with(
        [&](const fs::path& input) { return send_instances(input, sender, options.dry_run); }, context);
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, upload_all);
}
