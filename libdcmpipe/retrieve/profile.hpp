#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::retrieve {

/// How series are made to come.
enum class Operation { Get, Move };

/// What is known of a node's ways. What is absent is left to the options and their defaults.
struct Profile {
    std::vector<Operation> operations{}; ///< in the order in which they are tried
    std::optional<bool> patient_level{}; ///< C-MOVE as PACSIFIER asks: see MoveSettings
    std::optional<bool> relational{};    ///< see FindSettings
    std::optional<bool> lists_images{};  ///< see FindSettings
    std::optional<bool> wildcards{};     ///< see FindSettings
    std::optional<std::uint64_t> most_answers{};
    std::optional<std::uint64_t> most_uids{}; ///< in one request at image level
    std::optional<std::string> character_set{};
    std::optional<std::string> answer_character_set{};
    std::optional<double> linger{};
    std::optional<unsigned> parallel{};
    std::optional<double> gap{};
};

/// `first` where it says something, else `second`.
Profile merged(Profile first, const Profile& second);

/// The profile of this name: one of ours (`carestream-chuv`), or a JSON file of one.
/// Throws Error{Usage} for a name that is neither, and for anything in a file that it does not understand.
Profile read_profile(const std::string& name_or_file);

/// What a nodes file has for this node under `profiles`, by the name or the AE title of the node: an object
/// as a file of read_profile(), or one of our names. Nothing where it has none. Throws as read_profile().
std::optional<Profile> profile_of_node(
    const std::filesystem::path& nodes_file, std::string_view name, std::string_view aet);

} // namespace dcmpipe::retrieve
