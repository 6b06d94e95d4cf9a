#include "watch/state.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"
#include "core/sha256.hpp"
#include "watch/snapshot.hpp"

#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::watch {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t longest_name = 200;

/// The path as one name: no two paths share one, and none is hidden.
std::string name_of(const fs::path& study)
{
    const auto path = study.empty() ? std::string{"."} : study.string();
    std::string name;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        const bool escape = byte < 0x20 || byte == 0x7f || c == '+' || c == '%' || (name.empty() && c == '.');
        if (escape) {
            name += fmt::format("%{:02X}", byte);
        } else {
            name += c == '/' ? '+' : c;
        }
    }
    if (name.size() > longest_name) {
        Sha256 digest;
        digest.add(path);
        name = name.substr(0, longest_name - 33) + "-" + digest.hex().substr(0, 32);
    }
    return name;
}

template <class T, class Read>
std::optional<T> part(const nlohmann::json& json, const char* key, Read read)
{
    const auto found = json.find(key);
    return found == json.end() ? std::nullopt : std::optional<T>{read(*found)};
}

StudyState from_json(const nlohmann::json& json)
{
    StudyState state;
    state.done = part<StudyState::Done>(json, "done", [](const auto& done) {
        return StudyState::Done{
            done.at("revision"), done.at("files"), done.at("bytes"), done.at("content"), done.at("time")};
    });
    state.seen = part<StudyState::Seen>(json, "seen", [](const auto& seen) {
        return StudyState::Seen{seen.at("activity"), seen.at("boot_id"), seen.at("since")};
    });
    state.started = json.value("started", "");
    state.given_up = json.value("given_up", "");
    return state;
}

Json to_json(const fs::path& study, const StudyState& state)
{
    Json json{{"study", study.empty() ? "." : study.string()}};
    if (const auto& done = state.done) {
        json["done"] = {
            {"revision", done->revision},
            {"files", done->files},
            {"bytes", done->bytes},
            {"content", done->content},
            {"time", done->time}};
    }
    if (const auto& seen = state.seen) {
        json["seen"] = {{"activity", seen->activity}, {"boot_id", seen->boot_id}, {"since", seen->since}};
    }
    if (!state.started.empty()) {
        json["started"] = state.started;
    }
    if (!state.given_up.empty()) {
        json["given_up"] = state.given_up;
    }
    return json;
}

} // namespace

fs::path state_file(const fs::path& tree, const fs::path& study)
{
    return tree / state_folder / (name_of(study) + ".json");
}

StudyState read_state(const fs::path& tree, const fs::path& study)
{
    const auto path = state_file(tree, study);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return {};
    }
    const auto refuse = [&](const std::string& reason) {
        return Error{ErrorKind::Input, "cannot read the state", path.string(), reason};
    };
    try {
        return from_json(read_json_file("the state", path));
    } catch (const nlohmann::json::exception&) {
        throw refuse("a key is missing or wrong; remove it to have the study done again");
    } catch (const Error& error) {
        throw refuse(error.reason() + "; remove it to have the study done again");
    }
}

void write_state(const fs::path& tree, const fs::path& study, const StudyState& state)
{
    std::error_code ignored;
    if (!fs::is_directory(tree, ignored)) { // nobody wants a tree of ours where a disk is to be mounted again
        throw Error{ErrorKind::Output, "cannot write the state", tree.string(), "the tree is gone"};
    }
    const auto json = to_json(study, state);
    write_text_file(state_file(tree, study), json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

} // namespace dcmpipe::watch
