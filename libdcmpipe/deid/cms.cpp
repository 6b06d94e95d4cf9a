#include "deid/cms.hpp"

#include "core/error.hpp"
#include "core/file_bytes.hpp"

#include <limits>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace dcmpipe::deid {

namespace fs = std::filesystem;

namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const
    {
        Free(object);
    }
};

using Bio = std::unique_ptr<BIO, Freed<&::BIO_free_all>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Freed<&::CMS_ContentInfo_free>>;
using Certificate = std::unique_ptr<X509, Freed<&::X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freed<&::EVP_PKEY_free>>;

Bio reader(std::string_view bytes)
{
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw Error{ErrorKind::Input, "a sealed message is larger than 2 GiB"};
    }
    return Bio{::BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

std::string bytes_of(BIO* bio)
{
    char* data = nullptr;
    const long size = ::BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

/// What was named as an option and cannot be read is a wrong word, not a bad input.
FileBytes open_named(const fs::path& path)
{
    try {
        return FileBytes::open(path);
    } catch (const Error& error) {
        throw Error{ErrorKind::Usage, "cannot read", path.string(), error.reason()};
    }
}

Certificate read_certificate(const fs::path& path)
{
    const auto file = open_named(path);
    auto bio = reader(file.view());
    Certificate certificate{::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!certificate) {
        bio = reader(file.view());
        certificate.reset(::d2i_X509_bio(bio.get(), nullptr));
    }
    ::ERR_clear_error();
    if (!certificate) {
        throw Error{ErrorKind::Usage, "cannot read the certificate", path.string(), "neither PEM nor DER"};
    }
    return certificate;
}

void check_certificate(X509* certificate, const fs::path& path, bool allow_expired)
{
    constexpr int fewest_bits = 2048;
    const EVP_PKEY* const key = ::X509_get0_pubkey(certificate);
    if (key == nullptr || ::EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        throw Error{ErrorKind::Usage, "cannot use the certificate", path.string(), "its key is not RSA"};
    }
    if (::EVP_PKEY_get_bits(key) < fewest_bits) {
        throw Error{
            ErrorKind::Refused, "cannot use the certificate", path.string(),
            fmt::format("its key has {} bits, {} are the least", ::EVP_PKEY_get_bits(key), fewest_bits)};
    }
    if (!allow_expired && ::X509_cmp_current_time(::X509_get0_notAfter(certificate)) < 0) {
        throw Error{
            ErrorKind::Refused, "cannot use the certificate", path.string(),
            "it has expired (--allow-expired uses it all the same)"};
    }
}

} // namespace

struct CmsRecipients::Impl {
    CmsForm form;
    std::vector<Certificate> certificates;
};

CmsRecipients::CmsRecipients(const std::vector<fs::path>& certificates, const CmsForm& form)
{
    auto impl = std::make_unique<Impl>();
    impl->form = form;
    for (const auto& path : certificates) {
        auto certificate = read_certificate(path);
        check_certificate(certificate.get(), path, form.allow_expired);
        impl->certificates.push_back(std::move(certificate));
    }
    impl_ = std::move(impl);
}

CmsRecipients::~CmsRecipients() = default;

std::string CmsRecipients::seal(std::string_view plain) const
{
    constexpr unsigned flags = CMS_BINARY | CMS_PARTIAL;
    const auto* const cipher = impl_->form.gcm ? ::EVP_aes_256_gcm() : ::EVP_aes_256_cbc();
    const Cms message{::CMS_encrypt(nullptr, nullptr, cipher, flags)};
    bool good = message != nullptr;
    for (const auto& certificate : impl_->certificates) {
        CMS_RecipientInfo* const recipient =
            good ? ::CMS_add1_recipient_cert(message.get(), certificate.get(), CMS_KEY_PARAM) : nullptr;
        good = recipient != nullptr;
        if (good && impl_->form.oaep) {
            EVP_PKEY_CTX* const context = ::CMS_RecipientInfo_get0_pkey_ctx(recipient);
            good = ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0;
        }
    }
    const auto input = reader(plain);
    const Bio output{::BIO_new(::BIO_s_mem())};
    good = good && ::CMS_final(message.get(), input.get(), nullptr, flags) == 1 &&
           ::i2d_CMS_bio(output.get(), message.get()) == 1;
    ::ERR_clear_error();
    if (!good) {
        throw Error{ErrorKind::Internal, "cannot seal the attributes for their recipients"};
    }
    return bytes_of(output.get());
}

struct CmsKey::Impl {
    PrivateKey key;
    Certificate certificate;
};

CmsKey::CmsKey(const fs::path& key, const fs::path& certificate)
{
    struct stat status {};
    if (::stat(key.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077U) != 0) {
        throw Error{
            ErrorKind::Refused, "cannot use the key", key.string(),
            "others can read it: chmod 600 it, and consider it known"};
    }
    auto impl = std::make_unique<Impl>();
    const auto file = open_named(key);
    auto bio = reader(file.view());
    impl->key.reset(::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!impl->key) {
        bio = reader(file.view());
        impl->key.reset(::d2i_PrivateKey_bio(bio.get(), nullptr));
    }
    ::ERR_clear_error();
    if (!impl->key) {
        throw Error{
            ErrorKind::Usage, "cannot read the key", key.string(),
            "neither PEM nor DER, or under a passphrase"};
    }
    if (!certificate.empty()) {
        impl->certificate = read_certificate(certificate);
        if (::X509_check_private_key(impl->certificate.get(), impl->key.get()) != 1) {
            ::ERR_clear_error();
            throw Error{ErrorKind::Usage, "cannot use the key", key.string(), "it is not the certificate's"};
        }
    }
    impl_ = std::move(impl);
}

CmsKey::~CmsKey() = default;

std::string CmsKey::open(std::string_view sealed) const
{
    const auto input = reader(sealed);
    const Cms message{::d2i_CMS_bio(input.get(), nullptr)};
    if (!message) {
        ::ERR_clear_error();
        throw Error{ErrorKind::Refused, "the encrypted attributes are damaged: no CMS message"};
    }
    const Bio output{::BIO_new(::BIO_s_mem())};
    const bool opened = ::CMS_decrypt(
                            message.get(), impl_->key.get(), impl_->certificate.get(), nullptr, output.get(),
                            CMS_BINARY) == 1;
    ::ERR_clear_error();
    if (!opened) {
        throw Error{
            ErrorKind::Refused,
            "this key does not open the encrypted attributes, or they were tampered with"};
    }
    return bytes_of(output.get());
}

} // namespace dcmpipe::deid
