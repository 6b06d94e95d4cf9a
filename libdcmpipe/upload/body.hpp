#pragma once

#include <cstddef>
#include <cstdint>

namespace dcmpipe::upload {

/// Bytes that go out in a request: read from disk block by block, so that they cost no memory. Not for
/// sharing between threads.
class Body {
public:
    virtual ~Body() = default;
    virtual std::uint64_t size() const noexcept = 0;
    /// The next bytes since rewind(), 0 at the end. Throws Error{Input} where they cannot be read or must not
    /// go out.
    virtual std::size_t read(char* buffer, std::size_t size) = 0;
    /// To the start; once before the first read() as well.
    virtual void rewind() = 0;

protected:
    Body() = default;
    Body(const Body&) = default;
    Body(Body&&) = default;
    Body& operator=(const Body&) = default;
    Body& operator=(Body&&) = default;
};

} // namespace dcmpipe::upload
