#include "core/sha256.hpp"

#include "core/error.hpp"

#include <array>
#include <cerrno>

#include <openssl/evp.h>
#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe {

namespace {

void check(int result)
{
    if (result != 1) {
        throw Error{ErrorKind::Internal, "cannot compute SHA-256"};
    }
}

} // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const
{
    ::EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(::EVP_MD_CTX_new())
{
    check(context_ ? ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) : 0);
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes)
{
    check(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::hex()
{
    std::array<unsigned char, 32> digest{};
    check(::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_of(int fd, const std::filesystem::path& name)
{
    Sha256 digest;
    std::string block(256 * 1024, '\0');
    for (off_t offset = 0;;) {
        const auto count = ::pread(fd, block.data(), block.size(), offset);
        if (count < 0 && errno != EINTR) {
            throw Error::from_errno(ErrorKind::Input, "cannot read", name.string());
        }
        if (count == 0) {
            return digest.hex();
        }
        if (count > 0) {
            digest.add({block.data(), static_cast<std::size_t>(count)});
            offset += count;
        }
    }
}

} // namespace dcmpipe
