#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The Asynchronous Operations Window (PS3.7 §D.3.3.3), which DCMTK neither reads nor writes: on the bytes of
/// A-ASSOCIATE PDUs (PS3.8 §9.3.2, §9.3.3). All functions are pure.
namespace dcmpipe::net {

/// How many operations may be under way at once; 0: any number.
struct AsyncWindow {
    std::uint16_t invoked = 1;   ///< by the requestor
    std::uint16_t performed = 1; ///< by the requestor

    bool operator==(const AsyncWindow&) const = default;
};

/// What an A-ASSOCIATE-RQ or -AC says of it; nothing where it says nothing, or is broken.
std::optional<AsyncWindow> window_of(std::string_view associate_pdu);

/// The A-ASSOCIATE-AC with this window in its user information; as it is where it has no such item.
std::string with_window(std::string associate_ac, AsyncWindow window);

} // namespace dcmpipe::net
