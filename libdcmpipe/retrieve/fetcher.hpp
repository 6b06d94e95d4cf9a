#pragma once

#include "net/instance_store.hpp"
#include "net/query_scu.hpp"
#include "retrieve/connection.hpp"
#include "retrieve/finder.hpp"
#include "retrieve/journal.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace dcmpipe::retrieve {

/// What is asked of the node in one operation, and what becomes of what it sends.
struct Request {
    std::string study_uid{};
    std::string series_uid{};
    std::set<std::string, std::less<>> instances{}; ///< by Image level; empty: the series
    std::set<std::string> sop_classes{};            ///< of what is asked; empty where unknown
    std::string modality{};
    unsigned attempt = 0; ///< so many before it brought nothing
    // Asked of what comes, perhaps in another process, by the attributes up to `wanted_by`.
    std::function<bool(const dicom::ElementIndex&)> belongs{};  ///< it is of what was asked for, by its UIDs
    std::function<bool(const dicom::ElementIndex&)> confirms{}; ///< and it is what was asked for
    dicom::Tag wanted_by{};
    // Told in this process.
    std::function<void(std::string_view instance_uid)> on_rejected{}; ///< it belongs but does not confirm
    std::function<void(const net::StoredInstance&)> on_stored{};
    /// True once nothing is missing any more: no late instance is waited for.
    std::function<bool()> complete{};
};

/// How a node is made to send: C-GET, or C-MOVE to a listener of ours.
class Method {
public:
    virtual ~Method() = default;

    /// Throws Error{Peer} where the node breaks off or is not reached, Error{Input} where it does not offer
    /// the operation.
    virtual net::QueryOutcome ask(const Request& request) = 0;

    /// Ends what is still open, in order.
    virtual void release() = 0;
};

struct StorePlace {
    std::filesystem::path root;
    std::string layout = "pacsifier";
    net::Durability durability = net::Durability::Full;
};

std::unique_ptr<Method> make_get(Connection& connection, StorePlace place);

struct MoveSettings {
    std::string bind;       ///< as for net::Listener
    std::uint16_t port = 0; ///< where the node finds our AE title
    double linger = 10; ///< seconds to wait for instances after the node said that it is done: some are early
};

std::unique_ptr<Method> make_move(Connection& connection, StorePlace place, MoveSettings settings);

/// What became of a series.
struct Fetched {
    std::uint64_t expected = 0;
    std::uint64_t present = 0;  ///< stood there before
    std::uint64_t received = 0; ///< came now
    std::uint64_t rejected = 0; ///< came, but is not what was asked
    std::uint64_t missing = 0;
    bool by_uid = true; ///< the expected are known by UID, not by number alone
    std::set<std::filesystem::path> folders{};
    std::string reason{}; ///< where something is missing

    bool complete() const { return missing == 0; }
};

/// Brings series below a folder, each instance once: what the journal knows to stand there is not asked for,
/// what stays out is asked for again, and the verdict comes from what stands on the disk, whatever the node
/// says. Not for sharing between threads.
class Fetcher {
public:
    Fetcher(Connection& connection, Journal& journal, std::unique_ptr<Method> method)
        : connection_(connection), journal_(journal), method_(std::move(method))
    {
    }

    using OnStored = std::function<void(const net::StoredInstance&)>;

    /// Throws Error{Peer} where the node is not reached any more, Error{Cancelled} once a signal asked to
    /// stop; what came until then stays and is known.
    Fetched fetch(const FoundSeries& series, const OnStored& on_stored);

    void release() { method_->release(); }

private:
    class Work;

    Connection& connection_;
    Journal& journal_;
    std::unique_ptr<Method> method_;
};

} // namespace dcmpipe::retrieve
