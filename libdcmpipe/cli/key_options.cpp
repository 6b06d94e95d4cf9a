#include "cli/key_options.hpp"

#include "core/json_file.hpp"

#include <cstdlib>

namespace dcmpipe::cli {

void KeyOptions::declare_map(Words& words)
{
    words.option("-m,--map", map, "FILE", "the link map (see dpipe-map)");
    words.option("--key-file", key_file, "FILE|fd:N|env:NAME", "the project key")
        .shows("MAP with the ending .key");
    words.refuse_secret("--key", "--key-file");
    words.refuse_secret("--passphrase", "--passphrase-file");
}

void KeyOptions::declare_restore_key(Words& words)
{
    words.option("--restore-key", restore_key, "FILE|fd:N|env:NAME", "the private restore key");
    words
        .option(
            "--passphrase-file", passphrase_file, "FILE", "its first line is what the keys are kept under")
        .shows("the environment's DPIPE_PASSPHRASE");
}

const std::filesystem::path& KeyOptions::map_path() const
{
    if (!map) {
        throw Error{ErrorKind::Usage, "-m/--map is missing"};
    }
    return *map;
}

pseudonym::KeySource KeyOptions::key_source() const
{
    return {key_file ? *key_file : pseudonym::default_key_file(map_path()).string(), passphrase()};
}

pseudonym::RestoreKey KeyOptions::open_restore_key() const
{
    if (!restore_key) {
        throw Error{ErrorKind::Usage, "--restore-key is missing"};
    }
    return pseudonym::RestoreKey::from({*restore_key, passphrase()});
}

std::string KeyOptions::passphrase() const
{
    if (passphrase_file) {
        const auto text = read_text_file(*passphrase_file);
        return text.substr(0, text.find_first_of("\r\n"));
    }
    const char* const words = std::getenv("DPIPE_PASSPHRASE"); // NOLINT(concurrency-mt-unsafe)
    return words != nullptr ? words : "";
}

} // namespace dcmpipe::cli
