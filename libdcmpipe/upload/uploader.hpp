#pragma once

#include "upload/api.hpp"
#include "upload/credentials.hpp"
#include "upload/http.hpp"
#include "upload/parcel.hpp"
#include "upload/receipt.hpp"
#include "upload/session.hpp"

#include <string>

namespace dcmpipe::upload {

struct UploadSettings {
    std::string url; ///< of the API: `https://host/api`
    HttpSettings http;
    unsigned max_retries = 3; ///< tries after the first
    Backoff backoff;
};

/// Sends files to an HTTP API as multipart forms. Not for sharing between threads.
class Uploader {
public:
    /// `api` must live as long. Throws Error{Usage} for a URL or credentials that will not do.
    Uploader(const Api& api, const UploadSettings& settings, Credentials credentials);

    /// The URL that files are posted to.
    const std::string& url() const noexcept { return upload_url_; }

    /// Sends the file and returns what the server said once it has it all; no receipt is written yet. `key`
    /// is the Idempotency-Key, by which a server can tell a repeated request from another study; empty: the
    /// digest of the file's bytes, which must then be known first.
    ///
    /// Throws as Session::exchange() does, and Error{Input} where the file changed. `refused_by` is then the
    /// status of an answer that no other try would change; 0 else.
    Receipt send(Parcel& parcel, const std::string& key, const StudyFacts& study, int& refused_by);

private:
    std::optional<Setback> judge(const HttpAnswer& answer, const Parcel& parcel, Receipt& receipt) const;

    const Api& api_;
    std::string upload_url_;
    Session session_;
};

} // namespace dcmpipe::upload
