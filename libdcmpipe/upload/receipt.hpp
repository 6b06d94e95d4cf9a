#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace dcmpipe::upload {

/// What a server said of one upload.
struct Receipt {
    std::string url;    ///< that the file was sent to
    std::string sha256; ///< of the file
    std::uint64_t bytes = 0;
    std::string time; ///< in UTC
    int http_status = 0;
    std::string id; ///< what the server calls it; empty where it did not say
};

/// `NAME.zip.receipt.json` beside the file.
std::filesystem::path receipt_file(const std::filesystem::path& file);

/// The receipt of `file` for this URL, if there is one. Throws Error{Input} where the receipt file stands but
/// cannot be read: whether the file was sent is then for a person to say.
std::optional<Receipt> find_receipt(const std::filesystem::path& file, const std::string& url);

/// Writes the receipt, durably; receipts for other URLs in the same file are kept. Throws Error{Output}.
void keep_receipt(const std::filesystem::path& file, const Receipt& receipt);

/// `NAME.zip.refused.json` beside the file: the server's answer that no other try would change.
std::filesystem::path refusal_file(const std::filesystem::path& file);

// The same for refusals. A refusal that is forgotten is forgotten for all URLs.
std::optional<Receipt> find_refusal(const std::filesystem::path& file, const std::string& url);
void keep_refusal(const std::filesystem::path& file, const Receipt& refusal);
void forget_refusal(const std::filesystem::path& file);

} // namespace dcmpipe::upload
