#pragma once

#include "pseudonym/key.hpp"

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dcmpipe::deid {

/// Key::uid() with a memory: instances of a series name the same few UIDs over and over. Forgets all when it
/// is full. Any thread may use it.
class NewUids {
public:
    explicit NewUids(const pseudonym::Key& key) : key_(key) {}

    std::string of(std::string_view original);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    static constexpr std::size_t most = 8192;

    const pseudonym::Key key_;
    std::mutex mutex_;
    std::unordered_map<std::string, std::string, Hash, std::equal_to<>> known_;
};

} // namespace dcmpipe::deid
