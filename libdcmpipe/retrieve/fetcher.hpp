#pragma once

#include "core/throttle.hpp"
#include "net/instance_store.hpp"
#include "net/query_scu.hpp"
#include "retrieve/connection.hpp"
#include "retrieve/found.hpp"
#include "retrieve/journal.hpp"
#include "retrieve/worker.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dcmpipe::retrieve {

/// What is asked of the node in one operation, and what becomes of what it sends.
struct Request {
    std::string study_uid{};
    std::string series_uid{};
    std::set<std::string, std::less<>> instances{}; ///< by Image level; empty: the series
    std::set<std::string> sop_classes{};            ///< of what is asked; empty where unknown
    std::string modality{};
    std::string patient_id{};
    unsigned attempt = 0; ///< so many before it brought nothing
    // Asked of what comes, perhaps in another process, by the attributes up to `wanted_by`.
    std::function<bool(const dicom::ElementIndex&)> belongs{};  ///< it is of what was asked for, by its UIDs
    std::function<bool(const dicom::ElementIndex&)> confirms{}; ///< and it is what was asked for
    dicom::Tag wanted_by{};
    // Told in this process.
    std::function<void(std::string_view instance_uid)> on_rejected{}; ///< it belongs but does not confirm
    std::function<void()> on_unasked{};                               ///< it does not belong
    std::function<void(const net::StoredInstance&)> on_stored{};
    /// True once nothing is missing any more: no late instance is waited for.
    std::function<bool()> complete{};
};

/// How a node is made to send: C-GET, or C-MOVE to a listener of ours.
class Method {
public:
    virtual ~Method() = default;

    /// Throws Error{Peer} where the node breaks off or is not reached, Error{Usage} where it does not offer
    /// the operation, Error{Refused} where it seems to send elsewhere.
    virtual net::QueryOutcome ask(const Request& request) = 0;

    /// False while it may be that the node sends what is meant for us elsewhere: then one instance is asked
    /// for first.
    virtual bool is_proven() const { return true; }

    /// Ends what is still open, in order.
    virtual void release() = 0;
};

struct StorePlace {
    std::filesystem::path root;
    std::string layout = "pacsifier";
    net::Durability durability = net::Durability::Full;
    std::filesystem::path aside{}; ///< for what nobody asked for; where empty it is refused
};

/// True for what was put aside.
bool is_aside(const StorePlace& place, const net::StoredInstance& instance);

std::unique_ptr<Method> make_get(Connection& connection, StorePlace place);

struct MoveSettings {
    std::string bind;       ///< as for net::Listener
    std::uint16_t port = 0; ///< where the node finds our AE title
    double linger = 10; ///< seconds to wait for instances after the node said that it is done: some are early
    std::shared_ptr<const net::TlsContext> tls{}; ///< without it what comes is in clear
    /// Ask in the Patient Root model at its highest level, with the UIDs as keys besides: some nodes send a
    /// series for that, and others the whole patient.
    bool patient_level = false;
};

std::unique_ptr<Method> make_move(Connection& connection, StorePlace place, MoveSettings settings);

/// The first of these that the node offers; there is at least one.
std::unique_ptr<Method> make_first_offered(std::vector<std::unique_ptr<Method>> methods);

/// Brings series below a folder, each instance once: what the journal knows to stand there is not asked for,
/// what stays out is asked for again, and the verdict comes from what stands on the disk, whatever the node
/// says. Not for sharing between threads.
class Fetcher : public Worker {
public:
    /// Makes the methods over the connection, which is the fetcher's own.
    using MakeMethod = std::function<std::unique_ptr<Method>(Connection&)>;

    struct Settings {
        double bytes_a_second = 0; ///< 0: as fast as it goes
        /// By Image level at once. So many UIDs of 64 characters fit a value of UI in explicit VR (PS3.5
        /// §7.1.2), with room to spare.
        std::size_t most_uids = 500;
    };

    Fetcher(ConnectionSettings connection, Journal journal, const MakeMethod& make_method, Settings settings)
        : connection_(std::move(connection)), journal_(std::move(journal)), settings_(settings),
          throttle_(settings.bytes_a_second), method_(make_method(connection_))
    {
    }

    Fetched work(const FoundSeries& series, const OnStored& on_stored) override;
    void release() override { method_->release(); }
    bool reached() const override { return connection_.reached(); }

private:
    class Work;

    Connection connection_;
    Journal journal_;
    Settings settings_;
    Throttle throttle_;
    std::unique_ptr<Method> method_;
};

} // namespace dcmpipe::retrieve
