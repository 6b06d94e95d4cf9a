#include "dicom/inflate.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <fmt/format.h>

namespace dcmpipe::dicom {

namespace {

constexpr int raw_stream = -MAX_WBITS;

/// zlib counts in 32 bits and takes its input without const.
void feed(z_stream& stream, std::string_view bytes)
{
    constexpr std::size_t most = std::numeric_limits<uInt>::max() / 2;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(std::min(bytes.size(), most));
}

struct Inflater : z_stream {
    Inflater() : z_stream{}
    {
        if (::inflateInit2(this, raw_stream) != Z_OK) {
            throw Error{ErrorKind::Internal, "cannot start to inflate"};
        }
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { ::inflateEnd(this); }
};

/// What a stream needs to know to be no larger than its input wants: for a few bytes most of the time goes
/// into clearing its tables.
struct DeflateSize {
    int window;
    int memory;
};

constexpr DeflateSize size_for(std::size_t bytes)
{
    constexpr DeflateSize small{-12, 5};
    constexpr DeflateSize full{raw_stream, 8};
    return bytes <= 4096 ? small : full;
}

struct Deflater : z_stream {
    explicit Deflater(const DeflateSize& size) : z_stream{}
    {
        if (::deflateInit2(this, 6, Z_DEFLATED, size.window, size.memory, Z_DEFAULT_STRATEGY) != Z_OK) {
            throw Error{ErrorKind::Internal, "cannot start to deflate"};
        }
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    ~Deflater() { ::deflateEnd(this); }
};

/// Runs `step` with ever more room at the end of `out`, `least` bytes first, until it says that the stream
/// ended.
template <class Step>
void grow(std::string& out, z_stream& stream, std::size_t least, Step step)
{
    for (int state = Z_OK; state != Z_STREAM_END;) {
        const auto had = out.size();
        const auto room = std::clamp<std::size_t>(had, least, 64U << 20U);
        out.resize(had + room);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
        stream.avail_out = static_cast<uInt>(room);
        state = step();
        out.resize(had + room - stream.avail_out);
    }
}

/// Inflates piece by piece; `sink` takes each.
template <class Sink>
void inflate_into(std::string_view deflated, std::uint64_t limit, Sink sink)
{
    constexpr std::size_t piece = 128U << 10U;
    const auto room = std::make_unique_for_overwrite<char[]>(piece);
    Inflater stream;
    std::uint64_t total = 0;
    for (int state = Z_OK; state != Z_STREAM_END;) {
        feed(stream, deflated);
        stream.next_out = reinterpret_cast<Bytef*>(room.get());
        stream.avail_out = static_cast<uInt>(piece);
        state = ::inflate(&stream, Z_NO_FLUSH);
        if (state != Z_OK && state != Z_STREAM_END) {
            throw Error{ErrorKind::Input, "the deflated data set is damaged or cut short"};
        }
        deflated.remove_prefix(
            static_cast<std::size_t>(reinterpret_cast<const char*>(stream.next_in) - deflated.data()));
        const auto count = piece - stream.avail_out;
        total += count;
        if (total > limit) {
            throw Error{ErrorKind::Input, fmt::format("the deflated data set has more than {} bytes", limit)};
        }
        sink(std::string_view{room.get(), count});
    }
}

/// A nameless file in the folder for temporary files. Blocks of zeros cost no space in it.
class Spill {
public:
    Spill()
    {
        std::error_code error;
        folder_ = std::filesystem::temp_directory_path(error);
        if (error) {
            throw Error{ErrorKind::Output, "cannot write a temporary file in", "TMPDIR", error.message()};
        }
        auto name = (folder_ / "dcmpipe-XXXXXX").string();
        fd_ = Fd{::mkostemp(name.data(), O_CLOEXEC)};
        // It loses its name before it gets its first byte.
        if (!fd_ || ::unlink(name.c_str()) != 0) {
            fail();
        }
    }

    void add(std::string_view bytes)
    {
        if (bytes.find_first_not_of('\0') != std::string_view::npos) {
            if (::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET) < 0) {
                fail();
            }
            write_all(fd_.get(), bytes, folder_);
        }
        size_ += bytes.size();
    }

    FileBytes finish() &&
    {
        if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
            fail();
        }
        return FileBytes::of(std::move(fd_), folder_);
    }

private:
    [[noreturn]] void fail() const
    {
        throw Error::from_errno(ErrorKind::Output, "cannot write a temporary file in", folder_.string());
    }

    std::filesystem::path folder_;
    Fd fd_;
    std::uint64_t size_ = 0;
};

} // namespace

std::string inflate(std::string_view deflated, std::uint64_t limit)
{
    std::string out;
    inflate_into(deflated, limit, [&](std::string_view piece) { out += piece; });
    return out;
}

Inflated::Inflated(std::string_view deflated, std::uint64_t limit, std::uint64_t in_memory)
{
    std::optional<Spill> spill;
    inflate_into(deflated, limit, [&](std::string_view piece) {
        if (!spill && memory_.size() + piece.size() > in_memory) {
            spill.emplace().add(std::exchange(memory_, {}));
        }
        if (spill) {
            spill->add(piece);
        } else {
            memory_ += piece;
        }
    });
    if (spill) {
        file_ = std::make_unique<FileBytes>(std::move(*spill).finish());
    }
}

std::string deflate(std::string_view bytes)
{
    Deflater stream{size_for(bytes.size())};
    std::string out;
    auto rest = bytes;
    constexpr std::size_t block = 16U << 10U;
    const auto least = ::deflateBound(&stream, static_cast<uLong>(std::min(bytes.size(), block)));
    grow(out, stream, least, [&] {
        feed(stream, rest);
        const bool last = stream.avail_in == rest.size();
        const int state = ::deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
        rest = rest.substr(
            static_cast<std::size_t>(reinterpret_cast<const char*>(stream.next_in) - rest.data()));
        return state;
    });
    if (out.size() % 2 != 0) {
        out += '\0';
    }
    return out;
}

} // namespace dcmpipe::dicom
