#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::watch {

/// A program with words in which `{}` stands for a folder. No shell is involved: a folder's name is one
/// word, whatever it holds.
class Command {
public:
    /// Splits the text into words as a shell would: at blanks, but not inside '...' or "..." or behind a
    /// backslash; nothing else is special. Throws Error{Usage}: no program of this name, no `{}`, a quote
    /// that is not closed.
    explicit Command(std::string_view text);

    /// The words for this folder; the program first.
    std::vector<std::string> words_for(const std::filesystem::path& folder) const;

    /// Runs it to its end and returns its exit code, or 128 + n where signal n ended it. Its stdin is empty,
    /// its stdout and stderr are ours; it inherits the file descriptor `inherited`. Throws Error{Output}
    /// where it cannot be started.
    int run(const std::filesystem::path& folder, int inherited) const;

private:
    std::filesystem::path program_;
    std::vector<std::string> words_;
};

} // namespace dcmpipe::watch
