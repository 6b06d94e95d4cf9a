#pragma once

#include "retrieve/attributes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace dcmpipe::retrieve {

/// Answers, each once by its UID, in the order in which they came: in a file without a name, so that a
/// million of them cost no more memory than ten. Members throw Error{Output}.
class Spool {
public:
    Spool();
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    /// False where that UID is there already.
    bool add(std::string_view uid, const Attributes& answer);

    std::uint64_t size() const noexcept;

    /// The one after the last that it gave; nothing after the last of all.
    std::optional<Attributes> next();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace dcmpipe::retrieve
