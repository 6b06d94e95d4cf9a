#pragma once

#include "core/error.hpp"
#include "upload/credentials.hpp"
#include "upload/http.hpp"
#include "upload/retry.hpp"

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace dcmpipe::upload {

/// How a server learns who asks.
struct Entrance {
    std::string login_url; ///< POST of user name and password gives a token; empty: there is none
    std::string username_key{};
    std::string password_key{};
    std::string token_key{};
    std::string token_header = "Authorization: Bearer "; ///< what goes before a token
    bool basic = false;       ///< user name and password go with each request (RFC 7617)
    bool may_be_open = false; ///< no credentials at all are fine
};

/// One exchange that ended without success, and what to do about it.
struct Setback {
    Verdict verdict;
    Error error;            ///< to throw where no try is left
    double retry_after = 0; ///< seconds
};

/// What the server said, for a message: never its body.
std::string says(const HttpAnswer& answer);

/// The setback in the answer's status; nothing where the server took what was sent.
std::optional<Setback> setback_in(const HttpAnswer& answer, std::string_view doing, std::string_view subject);

/// The base URL without its last slash; what it holds goes into messages and receipts. Throws Error{Usage}
/// for a URL that is none, or that holds a password or a query.
std::string checked_url(std::string url);

/// Exchanges with one server: logs in where that is needed, tries again where that can help. Not for sharing
/// between threads.
class Session {
public:
    Session(
        Entrance entrance, Credentials credentials, HttpSettings http, unsigned max_retries, Backoff backoff);

    /// Calls `post` until it has no setback, with the header that tells who asks (empty: none).
    ///
    /// Throws the last setback's error once no try is left. Error{Output} is about what was posted, the next
    /// may fare better; Error{Peer}: the server was not reached or was busy in every try; Error{Usage}: it
    /// refuses the credentials; Error{Refused}: its certificate is not to be trusted; Error{Cancelled}.
    void exchange(
        const std::function<std::optional<Setback>(HttpClient& http, const std::string& authorization)>&
            post);

private:
    std::optional<Setback> log_in();
    std::string authorization() const;
    void wait(const Setback& setback, unsigned retry);

    Entrance entrance_;
    Credentials credentials_;
    HttpClient http_;
    unsigned max_retries_;
    Backoff backoff_;
    std::minstd_rand chance_{std::random_device{}()};
};

} // namespace dcmpipe::upload
