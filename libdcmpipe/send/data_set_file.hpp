#pragma once

#include "core/fd.hpp"
#include "core/sha256.hpp"
#include "net/association.hpp"
#include "send/item.hpp"

#include <string>
#include <vector>

namespace dcmpipe::send {

/// The data set of an item, read from the disk piece by piece. An entry of a ZIP is unpacked first, into a
/// nameless file of TMPDIR. Not for sharing between threads. Members throw Error{Input}: the file is gone,
/// or no longer what it was when it was examined.
class DataSetFile {
public:
    explicit DataSetFile(const Item& item);

    /// The next piece; it stays until the call after.
    net::Association::Piece next();

    /// The digest of what next() gave, once it gave all.
    std::string sha256() { return sha256_.hex(); }

private:
    const Item& item_;
    Fd fd_;
    std::uint64_t given_ = 0;
    std::vector<char> buffer_;
    Sha256 sha256_;
};

/// The digest of the data set alone.
std::string sha256_of(const Item& item);

} // namespace dcmpipe::send
