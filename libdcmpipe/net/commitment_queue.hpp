#pragma once

#include "core/fd.hpp"
#include "net/commitment.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace dcmpipe::net {

/// A request for storage commitment that was taken, until its report was heard.
struct PendingCommitment {
    std::string calling_aet;
    std::string address; ///< where it called from
    CommitmentRequest request;
};

/// Requests for storage commitment on the disk, a JSON file each (mode 0600), in a hidden folder of a store:
/// what was taken outlives the process that took it. Any number of processes may share it; an entry belongs
/// to one of them, until it is let go or its process ends. For one thread.
class CommitmentQueue {
public:
    /// A request that is this process's own: nobody else takes it while this lives.
    class Entry {
    public:
        const PendingCommitment& pending() const noexcept { return pending_; }
        const std::filesystem::path& path() const noexcept { return path_; }

        /// How long it has waited, by the clock of the machine: negative where that was set back.
        std::chrono::seconds age() const;

        /// Nobody need hear of it any more.
        void remove() noexcept;

    private:
        friend class CommitmentQueue;
        Entry(PendingCommitment pending, std::filesystem::path path, Fd lock);

        PendingCommitment pending_;
        std::filesystem::path path_;
        Fd lock_;
    };

    /// Of the store below `root`, which stands. Makes nothing yet.
    explicit CommitmentQueue(std::filesystem::path root);

    /// Once it returns, the request is on the disk for good. Throws Error{Output}; then it is not there.
    Entry put(PendingCommitment pending) const;

    /// All that no other process has and `wanted` says yes to; all where it is unset. What cannot be read is
    /// logged and passed over.
    std::vector<Entry> take(const std::function<bool(const PendingCommitment&)>& wanted = {}) const;

    /// Nothing waits, whoever has it.
    bool empty() const;

private:
    std::vector<std::filesystem::path> files() const;

    std::filesystem::path root_;
    std::filesystem::path folder_;
};

} // namespace dcmpipe::net
