#pragma once

#include "send/item.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::send {

/// How far an instance came with a node.
enum class Stage {
    Refused = 0,  ///< for good: the same bytes would meet the same answer
    Accepted = 1, ///< the node said so
    Committed = 2 ///< and took the responsibility for its safekeeping (PS3.4 §J)
};

/// What was sent to whom, one row a node and data set, in SQLite, so that the same command again sends only
/// the rest: UIDs, digests, paths. May be used from any thread, and by several processes at once. Members
/// throw Error{Output}.
class Journal {
public:
    struct Entry {
        std::string sha256; ///< of the data set
        Stage stage = Stage::Refused;
        std::uint16_t status = 0; ///< of the response
        std::filesystem::path path;
        Stamp stamp; ///< of `path` when it was sent
    };

    /// Makes `file` (0600) and its folder where they are missing.
    explicit Journal(const std::filesystem::path& file);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// What is known of this instance; several where data sets differ under one UID.
    std::vector<Entry> find(std::string_view node, std::string_view instance_uid);

    /// Adds an entry, or replaces the one of the same data set.
    void put(std::string_view node, std::string_view instance_uid, const Entry& entry);

    /// For what turns out not to be there after all.
    void forget(std::string_view node, std::string_view instance_uid, std::string_view sha256);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// What the journal knows of an item: of its file, where that is the one that was sent, else of its data set,
/// which is read to the end then. Throws Error{Input}, Error{Output}.
std::optional<Journal::Entry> recall(Journal& journal, std::string_view node, const Item& item);

/// `dcmpipe/send.db` in the user's folder for such things: XDG_STATE_HOME or ~/.local/state. Throws
/// Error{Usage} where there is none.
std::filesystem::path usual_journal();

} // namespace dcmpipe::send
