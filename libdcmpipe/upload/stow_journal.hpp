#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dcmpipe::upload {

/// What one server confirmed of one input, instance by instance: `INPUT.receipt.jsonl` beside the input,
/// a line each, so that the same command again sends only the rest. Held by one process at a time; not for
/// sharing between threads.
class StowJournal {
public:
    struct Entry {
        std::string instance_uid;
        std::string sha256;
        std::uint64_t bytes = 0;
        int http_status = 0;
    };

    /// Waits while another process holds it. Throws Error{Output} where it cannot be written, Error{Input}
    /// where a line in it cannot be read, Error{Cancelled}.
    static StowJournal open(const std::filesystem::path& input, const std::string& url);
    /// Of what stands there, to look at only: nothing is made, locked or written.
    static StowJournal look(const std::filesystem::path& input, const std::string& url);

    /// Null where the server has not confirmed this instance.
    const Entry* find(const std::string& instance_uid) const;

    /// Writes entries, durably. Throws Error{Output}.
    void add(const std::vector<Entry>& entries);

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    StowJournal(const std::filesystem::path& input, std::string url);
    void read();

    std::filesystem::path path_;
    std::string url_;
    Fd fd_;
    std::map<std::string, Entry> confirmed_; ///< by this URL
};

} // namespace dcmpipe::upload
