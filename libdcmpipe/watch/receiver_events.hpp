#pragma once

#include "core/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace dcmpipe::watch {

/// What a receiver's event file (dpipe-receive --events) tells about study folders: whether every association
/// that sent something for one was released in order. Reads on where it stopped, through a rotation, and from
/// the file's beginning after a restart. For one thread.
///
/// That an association is still open is not asked here: it holds the folder by flock(2), which ends with its
/// process whatever becomes of the file.
class ReceiverEvents {
public:
    explicit ReceiverEvents(std::filesystem::path file) : file_(std::move(file)) {}

    /// Takes in what was written since. A file that is not there yet has nothing to tell. Throws
    /// Error{Input}.
    void read();

    /// Something was received below `folder`, and each association that brought it was released.
    bool all_released(const std::filesystem::path& folder) const;

    /// One line of the file; what is no event is passed over.
    void take(std::string_view line);

private:
    using Associations = std::set<std::uint64_t>;
    struct Received {
        Associations open{};
        bool broken_off = false;         ///< an association that sent there was not released
        std::uint64_t broken_off_at = 0; ///< the last one that there was then
    };

    void receiver_started();
    void closed(std::uint64_t association, bool released);
    void read_on();

    std::filesystem::path file_;
    Fd open_;
    std::string rest_;                                  ///< a line that is not whole yet
    std::uint64_t last_association_ = 0;                ///< they are counted since the receiver started
    std::map<std::filesystem::path, Received> folders_; ///< of instances
};

} // namespace dcmpipe::watch
