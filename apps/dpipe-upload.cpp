/// \file dpipe-upload: send ZIPs to an HTTP API, each once, and print which are there.

#include "archive/zip_check.hpp"
#include "cli/command.hpp"
#include "upload/uploader.hpp"

namespace {

namespace fs = std::filesystem;
using namespace dcmpipe;

constexpr cli::About about{
    .name = "dpipe-upload",
    .summary = "Send ZIPs to an HTTP API, each once, with retries and a receipt.",
    .usage = "--url URL (--token-file FILE | --username NAME --password-file FILE) [OPTIONS] ZIP...",
    .examples =
        "  dpipe-upload --url https://host/api --token-file token zips/*.zip\n"
        "  dpipe-zip -o zips/ anon/*/*/ | dpipe-upload --url $URL --username me --password-file pw -\n"};

struct Options {
    upload::UploadSettings upload;
    upload::CredentialSources credentials;
    bool remove_source = false;
};

void declare(cli::Words& words, Options& options)
{
    auto& upload = options.upload;
    words.inputs("ZIP", "a ZIP file; '-' reads them from stdin");
    words.option("--url", upload.url, "URL", "the API: https://host/api").required();
    words.choice("--api", upload.api, {{"generic", &upload::generic_api}}, "what the API calls things")
        .shows("generic");
    words.option("--username", options.credentials.username, "NAME", "log in by this name");
    words
        .option(
            "--password-file", options.credentials.password_file, "FILE", "its first line is the password")
        .shows("the environment's DPIPE_PASSWORD");
    words.option("--token-file", options.credentials.token_file, "FILE", "its first line is a token")
        .shows("the environment's DPIPE_TOKEN");
    words.refuse_secret("--password", "--password-file, or DPIPE_PASSWORD in the environment");
    words.refuse_secret("--token", "--token-file, or DPIPE_TOKEN in the environment");
    words.option(
        "--ca-file", upload.http.ca_file, "FILE", "trust the certificates in FILE (PEM), not the system's");
    words
        .option(
            "--timeout", upload.http.idle_timeout, "SECONDS",
            "give a try up when less than 1 KiB/s moves so long")
        .shows("60");
    words.option("--max-retries", upload.max_retries, "N", "tries after the first").shows("3");
    words
        .option(
            "--retry-delay", upload.backoff.first, "SECONDS",
            "before the second try; doubles from there, up to 10 minutes")
        .shows("5");
    words.flag(
        "--remove-source", options.remove_source,
        "delete a ZIP once the server has it and its receipt is safe");
}

Record record_of(const fs::path& zip, const upload::Receipt& receipt, Status status)
{
    return Record{zip, status}
        .set("id", receipt.id)
        .set("http_status", std::int64_t{receipt.http_status})
        .set("sha256", receipt.sha256)
        .set("bytes", static_cast<std::int64_t>(receipt.bytes))
        .set("receipt", upload::receipt_file(zip).string());
}

Record send(const fs::path& zip, const Options& options, upload::Uploader& uploader, Progress& progress)
{
    auto receipt = upload::find_receipt(zip, uploader.url());
    if (receipt && options.remove_source && !fs::exists(zip)) {
        return record_of(zip, *receipt, Status::Skipped);
    }
    const auto parcel = upload::Parcel::open(zip);
    receipt = upload::find_receipt(zip, uploader.url()); // again: now nobody else uploads it
    const bool known = receipt && receipt->sha256 == parcel.sha256();
    if (!known) {
        archive::check_zip(parcel.fd(), zip);
        receipt = uploader.send(parcel);
        upload::keep_receipt(zip, *receipt);
        progress.add(1, parcel.size());
    }
    if (options.remove_source) {
        parcel.remove();
    }
    return record_of(zip, *receipt, known ? Status::Skipped : Status::Ok);
}

/// The next file may fare better, or would meet the same.
bool is_about_one_file(ErrorKind kind)
{
    return kind == ErrorKind::Input || kind == ErrorKind::Output;
}

void upload_all(const Options& options, cli::Context& context)
{
    context.require_inputs();
    upload::Uploader uploader{options.upload, upload::read_credentials(options.credentials)};
    while (const auto zip = context.next_input()) {
        try {
            context.emit(send(*zip, options, uploader, context.progress()));
        } catch (const Error& error) {
            if (is_about_one_file(error.kind())) {
                context.fail(*zip, error);
                continue;
            }
            if (error.kind() != ErrorKind::Cancelled) {
                context.emit(Record{*zip, Status::Failed, error.reason()});
            }
            throw;
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    return cli::run<Options>(about, argc, argv, declare, upload_all);
}
