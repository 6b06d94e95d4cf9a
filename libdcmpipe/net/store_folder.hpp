#pragma once

#include "core/fd.hpp"

#include <filesystem>
#include <string_view>

namespace dcmpipe::net {

/// What comes in is begun under this name in the root of a store, where the file system has no nameless
/// files.
inline constexpr std::string_view incoming_name = "incoming";
/// And then stands there under a hidden name that begins so, with the process that made it behind it.
inline constexpr std::string_view leftover_prefix = ".incoming.";

/// The root of a store, taken by one receiver alone for as long as this lives.
class StoreFolder {
public:
    /// Makes it where it is missing. Throws Error{Output} where another process has it, or it cannot be
    /// written.
    explicit StoreFolder(std::filesystem::path root);

    /// Removes what processes that were killed left behind; how many files that were.
    std::size_t sweep() const;

    /// In a forked process: the folder stays the parent's alone.
    void let_go() { lock_.reset(); }

private:
    std::filesystem::path root_;
    Fd lock_;
};

} // namespace dcmpipe::net
