#include "net/tls.hpp"

#include "core/error.hpp"
#include "net/network.hpp"

#include <algorithm>
#include <array>
#include <climits>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace dcmpipe::net {

namespace {

/// (RFC 9325 §4.2) For 1.2; those of 1.3 are all in order.
constexpr const char* ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// OpenSSL's own reason, for the oldest error that waits; all are taken.
std::string openssl_reason()
{
    const auto code = ERR_get_error();
    const char* const text = ERR_reason_error_string(code);
    ERR_clear_error();
    return text != nullptr ? text : "it cannot be used";
}

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
};

/// A transport as OpenSSL reads and writes it. What is thrown below is kept, for nothing may be thrown
/// through OpenSSL.
struct Below {
    std::unique_ptr<Transport> transport;
    TimePoint until{};
    std::optional<Error> failure{};

    template <class Work>
    int guarded(Work work)
    {
        try {
            return failure ? -1 : work();
        } catch (const Error& error) {
            failure = error;
            return -1;
        }
    }
};

Below& below_of(BIO* bio)
{
    return *static_cast<Below*>(BIO_get_data(bio));
}

int read_below(BIO* bio, char* to, int size)
{
    auto& below = below_of(bio);
    return below.guarded([&] {
        return static_cast<int>(below.transport->read(to, static_cast<std::size_t>(size), below.until));
    });
}

int write_below(BIO* bio, const char* from, int size)
{
    auto& below = below_of(bio);
    return below.guarded([&] {
        below.transport->write({from, static_cast<std::size_t>(size)}, below.until);
        return size;
    });
}

long control_below(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/)
{
    return command == BIO_CTRL_FLUSH ? 1 : 0; // nothing is held back
}

const BIO_METHOD* transport_method()
{
    static const auto* const method = [] {
        auto* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
        BIO_meth_set_read(made, read_below);
        BIO_meth_set_write(made, write_below);
        BIO_meth_set_ctrl(made, control_below);
        return made;
    }();
    return method;
}

class TlsTransport : public Transport {
public:
    TlsTransport(std::unique_ptr<Transport> transport, SSL_CTX& context)
        : below_{std::move(transport)}, session_(SSL_new(&context))
    {
        auto* const bio = BIO_new(transport_method());
        if (session_ == nullptr || bio == nullptr) {
            throw Error{ErrorKind::Internal, "cannot talk to", peer(), "no memory for TLS"};
        }
        BIO_set_data(bio, &below_);
        BIO_set_init(bio, 1);
        SSL_set_bio(session_.get(), bio, bio); // the session's now
    }

    ~TlsTransport() override
    {
        if (open_ && !below_.failure) {
            below_.until = Clock::now() + std::chrono::seconds{1};
            static_cast<void>(SSL_shutdown(session_.get())); // a courtesy
            ERR_clear_error();
        }
    }

    SSL* session() { return session_.get(); }

    void shake_hands(int (*shake)(SSL*), TimePoint until)
    {
        below_.until = until;
        if (shake(session_.get()) != 1) {
            const auto verified = SSL_get_verify_result(session_.get());
            fail("no TLS with", verified != X509_V_OK ? X509_verify_cert_error_string(verified) : nullptr);
        }
        open_ = true;
    }

    std::size_t read(char* to, std::size_t size, TimePoint until) override
    {
        below_.until = until;
        const int count =
            SSL_read(session_.get(), to, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
        if (count <= 0) {
            // Nothing is lost where the farewell is missing: PDUs say how long they are.
            const int why = SSL_get_error(session_.get(), count);
            if (why == SSL_ERROR_ZERO_RETURN ||
                (why == SSL_ERROR_SSL &&
                 ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
                ERR_clear_error();
                return 0;
            }
            fail("lost the connection to", nullptr);
        }
        return static_cast<std::size_t>(count);
    }

    void write(std::string_view bytes, TimePoint until) override
    {
        below_.until = until;
        while (!bytes.empty()) {
            const auto some = std::min<std::size_t>(bytes.size(), INT_MAX);
            const int count = SSL_write(session_.get(), bytes.data(), static_cast<int>(some));
            if (count <= 0) {
                fail("lost the connection to", nullptr);
            }
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    bool readable(TimePoint until) override
    {
        return SSL_has_pending(session_.get()) == 1 || below_.transport->readable(until);
    }

    void settle(TimePoint until) noexcept override { below_.transport->settle(until); }
    int fd() const noexcept override { return below_.transport->fd(); }
    const std::string& peer() const noexcept override { return below_.transport->peer(); }

private:
    [[noreturn]] void fail(std::string_view doing, const char* reason)
    {
        open_ = false;
        if (below_.failure) {
            ERR_clear_error();
            throw Error{*below_.failure};
        }
        const auto why = openssl_reason();
        throw Error{ErrorKind::Peer, doing, peer(), reason != nullptr ? reason : why};
    }

    Below below_;
    std::unique_ptr<SSL, FreeSession> session_;
    bool open_ = false;
};

/// (RFC 6066 §3) What SSL_set_tlsext_host_name() is, without its cast.
bool set_server_name(SSL* session, std::string host)
{
    return SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

[[noreturn]] void refuse_file(std::string_view what, const std::filesystem::path& path)
{
    throw Error{
        ErrorKind::Usage, std::string{"cannot use the "}.append(what), path.string(), openssl_reason()};
}

} // namespace

struct TlsContext::Impl {
    std::unique_ptr<SSL_CTX, FreeContext> context;
};

TlsContext::TlsContext(Side side, const TlsFiles& files) : impl_(std::make_unique<Impl>())
{
    const bool accepts = side == Side::Acceptor;
    impl_->context.reset(SSL_CTX_new(accepts ? TLS_server_method() : TLS_client_method()));
    auto* const context = impl_->context.get();
    if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, ciphers) != 1) {
        throw Error{ErrorKind::Internal, "cannot set up", "TLS", openssl_reason()};
    }
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    static_cast<void>(SSL_CTX_set_num_tickets(context, 0));
    // Nobody is asked for a passphrase: a server has no terminal.
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
    if (accepts && (!files.certificate || !files.key)) {
        throw Error{ErrorKind::Usage, "TLS needs a certificate and its key"};
    }
    if (files.certificate && SSL_CTX_use_certificate_chain_file(context, files.certificate->c_str()) != 1) {
        refuse_file("certificate", *files.certificate);
    }
    if (files.key && (SSL_CTX_use_PrivateKey_file(context, files.key->c_str(), SSL_FILETYPE_PEM) != 1 ||
                      SSL_CTX_check_private_key(context) != 1)) {
        refuse_file("key", *files.key);
    }
    if (files.authorities &&
        SSL_CTX_load_verify_locations(context, files.authorities->c_str(), nullptr) != 1) {
        refuse_file("certificates of authorities", *files.authorities);
    }
    if (!accepts && !files.authorities) {
        static_cast<void>(SSL_CTX_set_default_verify_paths(context)); // none there: nobody is trusted
    }
    if (!accepts || files.authorities) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (accepts && files.authorities) {
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.authorities->c_str()));
    }
    ERR_clear_error();
}

TlsContext::~TlsContext() = default;

std::unique_ptr<Transport> TlsContext::accept(std::unique_ptr<Transport> below, TimePoint until) const
{
    auto transport = std::make_unique<TlsTransport>(std::move(below), *impl_->context);
    transport->shake_hands(SSL_accept, until);
    return transport;
}

std::unique_ptr<Transport> TlsContext::connect(
    std::unique_ptr<Transport> below, const std::string& host, TimePoint until) const
{
    auto transport = std::make_unique<TlsTransport>(std::move(below), *impl_->context);
    auto* const wanted = SSL_get0_param(transport->session());
    const bool numeric = ip_address(host).has_value();
    const bool set = numeric ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1
                             : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), 0) == 1 &&
                                   set_server_name(transport->session(), host);
    if (!set) {
        throw Error{ErrorKind::Peer, "no TLS with", host, "it is no name that a certificate could hold"};
    }
    transport->shake_hands(SSL_connect, until);
    return transport;
}

std::unique_ptr<Transport> connect(const Node& node, const TlsContext* tls, TimePoint until)
{
    auto transport = connect_tcp(node.host, node.port, until);
    return tls != nullptr ? tls->connect(std::move(transport), node.host, until) : std::move(transport);
}

} // namespace dcmpipe::net
