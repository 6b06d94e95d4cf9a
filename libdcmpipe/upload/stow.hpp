#pragma once

#include "upload/session.hpp"
#include "upload/stow_journal.hpp"
#include "upload/uploader.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace dcmpipe::upload {

/// How instances are put into requests.
struct StowBatch {
    std::uint64_t bytes = 128U << 20U; ///< at most in one request, unless one instance is larger
    std::size_t instances = 200;       ///< at most in one request
};

/// What became of one input.
struct StowResult {
    std::uint64_t sent = 0;    ///< confirmed by the server in this run
    std::uint64_t skipped = 0; ///< confirmed before, as the receipt says
    std::uint64_t bytes = 0;   ///< of those that were sent
    std::filesystem::path receipt;
    std::vector<Error> failures; ///< files that are no instance, and instances that the server did not take
};

/// Stores instances by STOW-RS (PS3.18 §10.5): several in a request, each noted in a receipt once the server
/// has confirmed it, and only what failed sent again. Not for sharing between threads.
class StowSender {
public:
    /// `settings.url` is the service: `https://host/dicom-web`. Without credentials requests go without.
    /// Throws Error{Usage}.
    StowSender(const UploadSettings& settings, Credentials credentials, StowBatch batch);

    /// Sends an instance, or the instances below a folder. A DICOMDIR is left out. Throws what ends the
    /// whole run, as Session::exchange() does, and Error{Input} or Error{Output} where all of this input
    /// fails.
    StowResult send(const std::filesystem::path& input);

    /// What send() would send: `sent` and `bytes` count it; nothing is written and no server asked.
    StowResult plan(const std::filesystem::path& input);

private:
    struct Item {
        std::filesystem::path file;
        std::string instance_uid;
        std::uint64_t size = 0;
    };

    std::vector<Item> collect(
        const std::filesystem::path& input, const StowJournal& journal, StowResult& result);
    void send_batch(std::span<const Item> items, StowJournal& journal, StowResult& result);

    StowBatch batch_;
    std::string url_;
    Session session_;
};

} // namespace dcmpipe::upload
