#pragma once

#include "net/instance_store.hpp"
#include "retrieve/found.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

namespace dcmpipe::retrieve {

/// What became of a series.
struct Fetched {
    std::uint64_t expected = 0;
    std::uint64_t present = 0;  ///< stood there before
    std::uint64_t received = 0; ///< came now
    std::uint64_t rejected = 0; ///< came, but is not what was asked
    std::uint64_t unasked = 0;  ///< came, but of something else
    std::uint64_t missing = 0;
    bool broken_off = false; ///< the last try ended by the node's breaking off
    bool by_uid = true;      ///< the expected are known by UID, not by number alone
    std::set<std::filesystem::path> folders{};
    std::string reason{}; ///< where something is missing

    bool complete() const { return missing == 0; }
};

using OnStored = std::function<void(const net::StoredInstance&)>;

/// Does what a run is for, to one series after the other. Not for sharing between threads.
class Worker {
public:
    virtual ~Worker() = default;

    /// Throws Error{Peer} where the node is not reached any more, Error{Cancelled} once a signal asked to
    /// stop and the node has something still to send; what was done until then stays and is known.
    virtual Fetched work(const FoundSeries& series, const OnStored& on_stored) = 0;

    /// Ends what is still open, in order.
    virtual void release() = 0;

    /// False where the last call failed in every try.
    virtual bool reached() const = 0;
};

} // namespace dcmpipe::retrieve
