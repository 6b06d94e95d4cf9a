#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>

namespace dcmpipe::test {

/// Writes `NAME.key` (0600) and the self-signed `NAME.pem` into the folder.
inline void write_certificate(
    const std::filesystem::path& folder, const std::string& name, unsigned bits = 2048, long valid_s = 86'400)
{
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key{::EVP_RSA_gen(bits), &::EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&::X509_free)> certificate{::X509_new(), &::X509_free};
    ::X509_set_version(certificate.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -2 * 86'400L);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), valid_s);
    ::X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const subject = ::X509_get_subject_name(certificate.get());
    ::X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    ::X509_set_issuer_name(certificate.get(), subject);
    bool good = ::X509_sign(certificate.get(), key.get(), ::EVP_sha256()) != 0;
    const auto write = [&](const std::filesystem::path& path, const auto& how) {
        const std::unique_ptr<std::FILE, decltype(&std::fclose)> file{
            std::fopen(path.c_str(), "w"), &std::fclose};
        good = good && file && how(file.get()) == 1;
        ::chmod(path.c_str(), 0600);
    };
    write(folder / (name + ".key"), [&](std::FILE* file) {
        return ::PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    write(
        folder / (name + ".pem"), [&](std::FILE* file) { return ::PEM_write_X509(file, certificate.get()); });
    if (!good) {
        throw std::runtime_error{"cannot make a certificate"};
    }
}

} // namespace dcmpipe::test
