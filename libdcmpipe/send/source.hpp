#pragma once

#include "core/error.hpp"
#include "send/item.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace dcmpipe::send {

/// Takes the instances of a file.
using OnItem = std::function<void(Item)>;
/// Takes what is wrong with an entry of a ZIP; `name` is `ZIP#NUMBER`.
using OnBadEntry = std::function<void(const std::string& name, const Error&)>;

/// Gives the instance of a file, or those of a ZIP entry by entry, until a signal asks to stop. A DICOMDIR is
/// passed over, and so are hidden entries. Throws Error{Input} about the file, and what `on_item` throws
/// unless that is Error{Input} or Error{Refused} about an entry.
void read_items(const std::filesystem::path& file, bool zip, const OnItem& on_item, const OnBadEntry& on_bad);

/// Tells when all instances of a ZIP are settled. Any thread may use it.
class ZipTallies {
public:
    enum class Verdict { AllSent, AllSentBefore, Failed };

    /// One more thing to wait for: an instance, or the reading of the ZIP.
    void begin(const std::filesystem::path& zip);

    /// One thing less; what became of the ZIP where it was the last.
    std::optional<Verdict> end(const std::filesystem::path& zip, Verdict verdict);

private:
    struct Tally {
        std::size_t open = 0;
        bool sent = false;
        bool failed = false;
    };
    std::mutex mutex_;
    std::map<std::filesystem::path, Tally> tallies_;
};

} // namespace dcmpipe::send
