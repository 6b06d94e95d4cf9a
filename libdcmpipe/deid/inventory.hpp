#pragma once

#include "deid/rules.hpp"
#include "dicom/instance.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

namespace dcmpipe::deid {

/// What attributes a tree of instances has, and what would happen to each: by path, never by value. One
/// thread at a time.
class Inventory {
public:
    explicit Inventory(const Rules& rules) : rules_(rules) {}

    void add(const dicom::Instance& instance);

    /// A line of JSON an attribute, in the order of their paths: path, VR, action, why, instances, values
    /// (how many different ones, up to a bound).
    std::string json_lines() const;

private:
    struct Entry {
        std::string vr;
        std::map<std::string, std::uint64_t> actions; ///< with the reason: how often
        std::uint64_t count = 0;
        std::unordered_set<std::size_t> values; ///< hashes
    };

    const Rules& rules_;
    std::map<std::string, Entry> entries_;
};

} // namespace dcmpipe::deid
