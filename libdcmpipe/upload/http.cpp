#include "upload/http.hpp"

#include "core/error.hpp"
#include "core/stop.hpp"

#include <array>
#include <string_view>

#include <curl/curl.h>

namespace dcmpipe::upload {

namespace {

constexpr long connect_timeout = 10;     ///< seconds
constexpr long slowest = 1024;           ///< bytes a second
constexpr long send_buffer = 512 * 1024; ///< bytes
constexpr std::size_t longest_answer = 1U << 20U;

struct FreeList {
    void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

struct FreeForm {
    void operator()(curl_mime* form) const { ::curl_mime_free(form); }
};
using Form = std::unique_ptr<curl_mime, FreeForm>;

/// The kinds of failure that no later try can mend; all others are Error{Peer}.
constexpr std::array<std::pair<CURLcode, ErrorKind>, 8> for_good{{
    {CURLE_URL_MALFORMAT, ErrorKind::Usage},
    {CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::Usage},
    {CURLE_SSL_CACERT_BADFILE, ErrorKind::Usage},
    {CURLE_SSL_CERTPROBLEM, ErrorKind::Usage},
    {CURLE_COULDNT_RESOLVE_PROXY, ErrorKind::Usage},
    {CURLE_PEER_FAILED_VERIFICATION, ErrorKind::Refused},
    {CURLE_SSL_ISSUER_ERROR, ErrorKind::Refused},
    {CURLE_ABORTED_BY_CALLBACK, ErrorKind::Cancelled},
}};

ErrorKind kind_of(CURLcode code)
{
    for (const auto& [known, kind] : for_good) {
        if (known == code) {
            return kind;
        }
    }
    return ErrorKind::Peer;
}

void check(CURLcode code)
{
    if (code != CURLE_OK) {
        throw Error{ErrorKind::Internal, "cannot prepare the request", "libcurl", ::curl_easy_strerror(code)};
    }
}

std::size_t take_answer(char* data, std::size_t size, std::size_t count, void* body)
{
    auto& answer = *static_cast<std::string*>(body);
    if (answer.size() + size * count > longest_answer) {
        return 0;
    }
    answer.append(data, size * count);
    return size * count;
}

/// What goes out in one request, as far as the settings' on_sent was told.
struct Sent {
    const std::function<void(std::uint64_t)>& tell;
    curl_off_t told = 0;
};

/// Nonzero ends the transfer.
int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t to_send, curl_off_t sent)
{
    auto& state = *static_cast<Sent*>(self);
    if (state.tell && sent > state.told) {
        state.tell(static_cast<std::uint64_t>(sent - state.told));
        state.told = sent;
    }
    return stop::requested() && sent < to_send ? 1 : 0;
}

/// What goes out, and why it could not be read.
struct BodyReader {
    Body& body;
    std::optional<Error> trouble{};

    static std::size_t read(char* buffer, std::size_t size, std::size_t count, void* self)
    {
        auto& reader = *static_cast<BodyReader*>(self);
        try {
            return reader.body.read(buffer, size * count);
        } catch (const Error& error) {
            reader.trouble = error;
            return CURL_READFUNC_ABORT;
        }
    }

    static int seek(void* self, curl_off_t offset, int origin)
    {
        if (origin != SEEK_SET || offset != 0) {
            return CURL_SEEKFUNC_CANTSEEK;
        }
        static_cast<BodyReader*>(self)->body.rewind();
        return CURL_SEEKFUNC_OK;
    }
};

List list_of(const std::vector<std::string>& lines)
{
    List list;
    for (const auto& line : lines) {
        curl_slist* const longer = ::curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) {
            check(CURLE_OUT_OF_MEMORY);
        }
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

void start_curl()
{
    static const CURLcode started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    check(started);
}

} // namespace

struct HttpClient::Impl {
    HttpSettings settings;
    CURL* curl = nullptr;
    std::array<char, CURL_ERROR_SIZE> reason{};

    template <class Value>
    void set(CURLoption option, Value value)
    {
        check(::curl_easy_setopt(curl, option, value));
    }

    /// All of a request but what it sends. The connection survives curl_easy_reset().
    void begin(const std::string& url, const List& headers)
    {
        ::curl_easy_reset(curl);
        reason.front() = '\0';
        set(CURLOPT_ERRORBUFFER, reason.data());
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_USERAGENT, "dcmpipe");
        set(CURLOPT_CONNECTTIMEOUT, connect_timeout);
        set(CURLOPT_LOW_SPEED_LIMIT, slowest);
        set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.idle_timeout));
        set(CURLOPT_UPLOAD_BUFFERSIZE, send_buffer);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &on_progress);
        set(CURLOPT_WRITEFUNCTION, &take_answer);
        set(CURLOPT_URL, url.c_str());
        set(CURLOPT_HTTPHEADER, headers.get());
        const auto set_path = [&](CURLoption option, const std::optional<std::filesystem::path>& path) {
            if (path) {
                set(option, path->c_str());
            }
        };
        set_path(CURLOPT_CAINFO, settings.ca_file);
        set_path(CURLOPT_SSLCERT, settings.certificate);
        set_path(CURLOPT_SSLKEY, settings.key);
        set_path(CURLOPT_UNIX_SOCKET_PATH, settings.unix_socket);
        if (!settings.proxy.empty()) {
            set(CURLOPT_PROXY, settings.proxy.c_str());
        }
        if (settings.bytes_per_second > 0) {
            set(CURLOPT_MAX_SEND_SPEED_LARGE, static_cast<curl_off_t>(settings.bytes_per_second));
        }
    }

    /// The trouble with what goes out tells more than libcurl's words for it.
    HttpAnswer perform(const std::string& url, const BodyReader& reader)
    {
        try {
            return perform(url);
        } catch (const Error&) {
            if (reader.trouble) {
                throw Error{*reader.trouble};
            }
            throw;
        }
    }

    HttpAnswer perform(const std::string& url)
    {
        HttpAnswer answer;
        Sent sent{settings.on_sent};
        set(CURLOPT_XFERINFODATA, &sent);
        set(CURLOPT_WRITEDATA, &answer.body);
        if (const auto code = ::curl_easy_perform(curl); code != CURLE_OK) {
            const std::string_view why = reason.front() != '\0' ? reason.data() : ::curl_easy_strerror(code);
            throw Error{kind_of(code), "no answer from", url, why};
        }
        long status = 0;
        curl_off_t seconds = 0;
        check(::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status));
        check(::curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds));
        answer.status = static_cast<int>(status);
        answer.retry_after = static_cast<double>(seconds);
        return answer;
    }
};

HttpClient::HttpClient(HttpSettings settings) : impl_(std::make_unique<Impl>())
{
    start_curl();
    impl_->settings = std::move(settings);
    impl_->curl = ::curl_easy_init();
    check(impl_->curl != nullptr ? CURLE_OK : CURLE_FAILED_INIT);
}

HttpClient::HttpClient(HttpClient&&) noexcept = default;

HttpClient::~HttpClient()
{
    if (impl_) {
        ::curl_easy_cleanup(impl_->curl);
    }
}

HttpAnswer HttpClient::post_json(const std::string& url, const std::string& json)
{
    const auto headers = list_of({"Content-Type: application/json", "Accept: application/json"});
    impl_->begin(url, headers);
    impl_->set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
    impl_->set(CURLOPT_POSTFIELDS, json.c_str());
    return impl_->perform(url);
}

HttpAnswer HttpClient::post_parts(
    const std::string& url, Multipart& body, const std::string& accept, const std::vector<std::string>& more)
{
    auto lines = more;
    lines.push_back("Accept: " + accept);
    lines.push_back("Content-Type: " + body.content_type());
    const auto headers = list_of(lines);
    impl_->begin(url, headers);

    body.rewind();
    BodyReader reader{body};
    impl_->set(CURLOPT_POST, 1L);
    impl_->set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    impl_->set(CURLOPT_READFUNCTION, &BodyReader::read);
    impl_->set(CURLOPT_READDATA, &reader);
    impl_->set(CURLOPT_SEEKFUNCTION, &BodyReader::seek);
    impl_->set(CURLOPT_SEEKDATA, &reader);
    return impl_->perform(url, reader);
}

HttpAnswer HttpClient::post_file(
    const std::string& url, const FormFile& file, const std::vector<std::string>& more)
{
    auto lines = more;
    lines.emplace_back("Accept: application/json");
    const auto headers = list_of(lines);
    impl_->begin(url, headers);

    file.content.rewind();
    BodyReader reader{file.content};
    const Form form{::curl_mime_init(impl_->curl)};
    const auto add_part = [&](const std::string& name) {
        curl_mimepart* const part = form ? ::curl_mime_addpart(form.get()) : nullptr;
        check(part != nullptr ? CURLE_OK : CURLE_OUT_OF_MEMORY);
        check(::curl_mime_name(part, name.c_str()));
        return part;
    };
    for (const auto& [name, text] : file.fields) {
        check(::curl_mime_data(add_part(name), text.data(), text.size()));
    }
    curl_mimepart* const part = add_part(file.field);
    check(::curl_mime_filename(part, file.filename.c_str()));
    check(::curl_mime_type(part, "application/zip"));
    check(::curl_mime_data_cb(
        part, static_cast<curl_off_t>(file.content.size()), &BodyReader::read, &BodyReader::seek, nullptr,
        &reader));
    impl_->set(CURLOPT_MIMEPOST, form.get());
    return impl_->perform(url, reader);
}

} // namespace dcmpipe::upload
