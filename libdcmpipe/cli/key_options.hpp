#pragma once

#include "cli/words.hpp"
#include "pseudonym/key.hpp"
#include "pseudonym/map.hpp"
#include "pseudonym/seal.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace dcmpipe::cli {

/// The words for the link map and its keys: the same in every command that uses them.
struct KeyOptions {
    std::optional<std::filesystem::path> map;
    std::optional<std::string> key_file;
    std::optional<std::string> restore_key;
    std::optional<std::filesystem::path> passphrase_file;

    void declare_map(Words& words);
    void declare_restore_key(Words& words);

    /// Throws Error{Usage} where no map was named.
    const std::filesystem::path& map_path() const;
    pseudonym::KeySource key_source() const;

    pseudonym::Key key() const { return pseudonym::Key::from(key_source()); }
    pseudonym::Map open_map() const { return pseudonym::Map::open(map_path(), key()); }
    /// Throws Error{Usage} where no restore key was named.
    pseudonym::RestoreKey open_restore_key() const;

    /// From --passphrase-file or DPIPE_PASSPHRASE; empty where neither is there.
    std::string passphrase() const;
};

} // namespace dcmpipe::cli
