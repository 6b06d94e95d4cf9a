#pragma once

#include "core/error.hpp"
#include "upload/api.hpp"
#include "upload/credentials.hpp"
#include "upload/http.hpp"
#include "upload/parcel.hpp"
#include "upload/receipt.hpp"
#include "upload/retry.hpp"

#include <optional>
#include <random>
#include <string>

namespace dcmpipe::upload {

struct UploadSettings {
    std::string url; ///< of the API: `https://host/api`
    const Api* api = &generic_api;
    HttpSettings http;
    unsigned max_retries = 3; ///< tries after the first
    Backoff backoff;
};

/// Sends files to an HTTP API: logs in where it has no token, tries again where that can help. Not for
/// sharing between threads.
class Uploader {
public:
    /// Throws Error{Usage} for a URL that is none, or that holds a password or a query.
    Uploader(UploadSettings settings, Credentials credentials);

    /// The URL that files are posted to.
    const std::string& url() const noexcept { return upload_url_; }

    /// Sends the file and returns what the server said once it has it all; no receipt is written yet.
    ///
    /// Throws Error{Output} where the server refuses this file, or failed on it in every try: the next file
    /// may fare better. Errors of the other kinds end the whole batch: Error{Peer}, the server was not
    /// reached or was busy in every try; Error{Usage}, it refuses the credentials; Error{Refused}, its
    /// certificate is not to be trusted; Error{Cancelled}. But Error{Input} is about this file again.
    Receipt send(const Parcel& parcel);

private:
    /// One exchange that ended without success, and what to do about it.
    struct Setback {
        Verdict verdict;
        Error error;            ///< to throw where no try is left
        double retry_after = 0; ///< seconds
    };

    std::optional<Setback> log_in();
    std::optional<Setback> post(const Parcel& parcel, Receipt& receipt);
    std::optional<Setback> attempt(const Parcel& parcel, Receipt& receipt);
    void wait(const Setback& setback, unsigned retry);

    UploadSettings settings_;
    Credentials credentials_;
    std::string login_url_;
    std::string upload_url_;
    HttpClient http_;
    std::minstd_rand chance_{std::random_device{}()};
};

} // namespace dcmpipe::upload
