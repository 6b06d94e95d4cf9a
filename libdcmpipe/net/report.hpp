#pragma once

#include "net/instance_store.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// What the process of one association tells its parent: an instance stands on the disk.
struct Report {
    StoredInstance instance;
    std::string calling_aet;

    /// One datagram: the fields with a NUL after each. No field holds a NUL.
    std::string encode() const;

    /// Nothing where the datagram is no report.
    static std::optional<Report> decode(std::string_view datagram);

    /// Longer than any report: paths end at PATH_MAX, UIDs at 64.
    static constexpr std::size_t longest = 8 * 1024;
};

} // namespace dcmpipe::net
