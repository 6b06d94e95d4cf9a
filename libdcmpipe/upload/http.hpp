#pragma once

#include "upload/body.hpp"
#include "upload/multipart.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dcmpipe::upload {

struct HttpSettings {
    std::optional<std::filesystem::path> ca_file;     ///< trusted instead of the system's certificates
    std::optional<std::filesystem::path> certificate; ///< ours (PEM), for a server that asks who we are
    std::optional<std::filesystem::path> key;         ///< of `certificate`, where the key is not in it
    std::string proxy{};                              ///< instead of the environment's
    std::optional<std::filesystem::path> unix_socket; ///< connect to it, whatever host the URL names
    std::uint64_t bytes_per_second = 0;               ///< to send at most, on average; 0: no limit
    std::function<void(std::uint64_t)> on_sent{};     ///< is told of bytes as they go out
    unsigned idle_timeout = 60; ///< seconds with less than 1 KiB/s, either way, after which we give up
};

struct HttpAnswer {
    int status = 0;
    double retry_after = 0; ///< seconds that the server asks to wait; 0 where it does not
    std::string body;
};

/// A file as the last part of a multipart form.
struct FormFile {
    std::vector<std::pair<std::string, std::string>> fields{}; ///< of the form, before the file: name, text
    std::string field;
    std::string filename;
    Body& content;
};

/// Speaks HTTP(S) to one server at a time and keeps the connection between requests. Certificates are
/// verified; proxies come from the environment unless one is set; redirects are never followed, so that no
/// credential and no file goes where the user did not send it. Not for sharing between threads.
///
/// A request returns whatever the server answered, whatever its status. It throws Error{Peer} where no
/// answer came (a later try can help), Error{Refused} where the server's certificate is not to be trusted,
/// Error{Usage} for a URL or certificate file that is none, what a Body throws,
/// Error{Cancelled} where a stop is requested before all was sent. An answer that is awaited when the
/// request to stop comes is still taken.
class HttpClient {
public:
    explicit HttpClient(HttpSettings settings);
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) = delete;
    ~HttpClient();

    HttpAnswer post_json(const std::string& url, const std::string& json);

    /// Sends the parts; asks for an answer of type `accept`.
    HttpAnswer post_parts(
        const std::string& url, Multipart& body, const std::string& accept,
        const std::vector<std::string>& headers);

    /// Sends the form. `headers` are whole lines: `Authorization: ...`.
    HttpAnswer post_file(
        const std::string& url, const FormFile& file, const std::vector<std::string>& headers);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::upload
