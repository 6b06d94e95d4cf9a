#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// Users and their passcodes (PS3.7 §D.3.3.7, identity type 2), from a file with a line `user:passcode` each;
/// empty lines and those that begin with # are passed over.
class Users {
public:
    /// Throws Error{Usage} where the file cannot be read, or others than its owner may read it, or a line is
    /// none of these. No message holds a part of a line.
    static Users from_file(const std::filesystem::path& path);

    /// Takes the same time for every passcode of the same length.
    bool knows(std::string_view user, std::string_view passcode) const;

private:
    std::map<std::string, std::string, std::less<>> passcodes_;
};

} // namespace dcmpipe::net
