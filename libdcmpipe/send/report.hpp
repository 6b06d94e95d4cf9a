#pragma once

#include "core/fd.hpp"
#include "net/node.hpp"
#include "send/shipment.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::send {

/// A CSV of what became of each instance at each node, written as the run goes: the last lines of a run that
/// was killed are what it was at. Members throw Error{Output}.
class TableReport {
public:
    /// Replaces what stood there.
    TableReport(std::filesystem::path path, const std::vector<net::Node>& nodes);

    void add(const Shipment& shipment);

private:
    std::filesystem::path path_;
    std::vector<std::string> nodes_;
    Fd fd_;
};

/// What became of a run, counted.
struct NodeTally {
    std::string node;
    std::uint64_t sent = 0;
    std::uint64_t sent_before = 0;
    std::uint64_t failed = 0;
    std::uint64_t committed = 0;                     ///< of those that were sent, now or before
    std::uint64_t bytes = 0;                         ///< of data sets sent
    std::map<std::string, std::uint64_t> warnings{}; ///< by what they say: instances sent, now or before
    std::map<std::string, std::uint64_t> reasons{};  ///< why instances failed
    std::optional<std::string> given_up{};
};

struct RunTally {
    std::vector<NodeTally> nodes{};
    std::uint64_t instances = 0;
    std::uint64_t unread = 0;    ///< inputs that are no instance, or damaged
    std::uint64_t kept_back = 0; ///< not de-identified
    std::string started{};       ///< UTC

    explicit RunTally(const std::vector<net::Node>& to);
    void add(const Shipment& shipment);
};

/// The counts as JSON, durably. Throws Error{Output}.
void write_summary(const std::filesystem::path& path, const RunTally& tally);

} // namespace dcmpipe::send
