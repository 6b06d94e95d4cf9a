#pragma once

#include "core/fd.hpp"
#include "core/sha256.hpp"
#include "upload/body.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::upload {

/// The body of a multipart/related request (RFC 2387) whose parts are files.
class Multipart : public Body {
public:
    explicit Multipart(std::string_view content_type);

    /// Throws Error{Input} where the file cannot be read.
    void add(const std::filesystem::path& file);

    std::size_t parts() const noexcept { return files_.size(); }
    std::uint64_t size() const noexcept override { return size_ + closing_.size(); }
    /// `multipart/related; type="application/dicom"; boundary=...`
    std::string content_type() const;

    /// Throws Error{Input} where a file cannot be read or has another size than when it was added.
    std::size_t read(char* buffer, std::size_t size) override;
    void rewind() override;

    /// The digest of a part's file as it went out last; empty where it did not go out whole.
    const std::string& sha256(std::size_t part) const { return files_[part].sha256; }

private:
    struct File {
        std::filesystem::path path;
        std::uint64_t size;
        std::string sha256;
    };

    std::size_t read_file(char* buffer, std::size_t size);

    std::string content_type_;
    std::string head_;    ///< before each file
    std::string closing_; ///< after the last
    std::vector<File> files_;
    std::uint64_t size_ = 0;
    std::size_t part_ = 0; ///< that is being read
    std::uint64_t at_ = 0; ///< in its head and file, or in closing_ after the last
    Fd fd_;                ///< of the file that is being read
    std::optional<Sha256> digest_;
};

} // namespace dcmpipe::upload
