#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace dcmpipe {

/// SHA-256 (FIPS 180-4) over bytes that come in pieces. Not for sharing between threads.
class Sha256 {
public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) = delete;
    ~Sha256();

    void add(std::string_view bytes);

    /// The digest as 64 lower-case hexadecimal digits. Nothing can be added after it.
    std::string hex();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// The digest of an open file from its first byte to its last; `name` stands for it in errors. Throws
/// Error{Input}.
std::string sha256_of(int fd, const std::filesystem::path& name);

} // namespace dcmpipe
