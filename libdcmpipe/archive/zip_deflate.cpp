#include "archive/zip_deflate.hpp"

#include "archive/file_reader.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <zlib.h>

namespace dcmpipe::archive {

namespace {

constexpr std::size_t block_size = 512 * 1024;
constexpr std::size_t window_size = 32 * 1024; ///< how far back deflate looks
constexpr int level = 5; ///< images become 1 % larger than by zlib's own choice, in 6/10 of the time

struct Block {
    std::string before{}; ///< what stood before it, as far as deflate looks back
    std::string bytes{};
    bool is_last = false;
    std::uint32_t crc = 0; ///< of the file up to its end
};

/// A zlib stream that one thread uses again and again.
class Deflater {
public:
    Deflater()
    {
        // Negative: without zlib's own header. The other figures are zlib's defaults.
        check(::deflateInit2(&stream_, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY));
    }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    ~Deflater() { ::deflateEnd(&stream_); }

    /// Ends at a byte, so that blocks can follow one another.
    std::string deflate(Block block)
    {
        check(::deflateReset(&stream_));
        if (!block.before.empty()) {
            check(::deflateSetDictionary(
                &stream_, bytes_of(block.before), static_cast<uInt>(block.before.size())));
        }
        std::string out(::deflateBound(&stream_, block.bytes.size()) + 16, '\0');
        stream_.next_in = bytes_of(block.bytes);
        stream_.avail_in = static_cast<uInt>(block.bytes.size());
        stream_.next_out = bytes_of(out);
        stream_.avail_out = static_cast<uInt>(out.size());
        const int ended = ::deflate(&stream_, block.is_last ? Z_FINISH : Z_SYNC_FLUSH);
        check(ended == (block.is_last ? Z_STREAM_END : Z_OK) && stream_.avail_in == 0 ? Z_OK : Z_BUF_ERROR);
        out.resize(out.size() - stream_.avail_out);
        return out;
    }

private:
    static Bytef* bytes_of(std::string& text) { return reinterpret_cast<Bytef*>(text.data()); }

    static void check(int code)
    {
        if (code != Z_OK) {
            throw Error{ErrorKind::Internal, "cannot deflate"};
        }
    }

    z_stream stream_{};
};

/// Threads that take turns at blocks.
class Deflaters {
public:
    explicit Deflaters(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            threads_.emplace_back([this] { work(); });
        }
    }
    Deflaters(const Deflaters&) = delete;
    Deflaters& operator=(const Deflaters&) = delete;
    ~Deflaters()
    {
        const std::lock_guard lock{mutex_};
        over_ = true;
        waiting_.clear();
        something_.notify_all();
    }

    std::size_t count() const noexcept { return threads_.size(); }

    std::future<std::string> deflate(Block block)
    {
        std::promise<std::string> promise;
        auto future = promise.get_future();
        const std::lock_guard lock{mutex_};
        waiting_.emplace_back(std::move(block), std::move(promise));
        something_.notify_one();
        return future;
    }

private:
    void work()
    {
        Deflater deflater;
        for (std::unique_lock lock{mutex_};;) {
            something_.wait(lock, [&] { return over_ || !waiting_.empty(); });
            if (over_) {
                return;
            }
            auto [block, promise] = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            try {
                promise.set_value(deflater.deflate(std::move(block)));
            } catch (...) { // NOLINT(bugprone-empty-catch): whoever waits for it gets it
                promise.set_exception(std::current_exception());
            }
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable something_;
    std::deque<std::pair<Block, std::promise<std::string>>> waiting_;
    bool over_ = false;
    std::vector<std::jthread> threads_; ///< the last member: they end before what they use
};

/// A block on its way, or why it could not be read.
struct Pending {
    std::future<std::string> deflated{};
    std::exception_ptr trouble{};
    bool is_last = false;
    std::uint32_t crc = 0;
};

} // namespace

struct DeflatedFiles::Impl {
    Impl(const std::filesystem::path& folder, std::span<const FolderFile> all, unsigned jobs)
        : files(all), reader(folder),
          threads(jobs == 0 ? std::max(1U, std::thread::hardware_concurrency()) : jobs)
    {
    }

    std::span<const FolderFile> files;
    std::size_t given = 0; ///< files that open() began
    std::string current;   ///< deflated, of the file that is read now
    std::size_t at = 0;    ///< in `current`
    bool at_end = true;    ///< `current` is the last of its file
    std::uint32_t crc = 0;

    std::size_t ahead = 0; ///< the file that is looked ahead into
    FileReader reader;     ///< of that file
    bool is_open = false;
    Block next; ///< read already, and not known yet whether it is the last one
    std::deque<Pending> pending;
    Deflaters threads;

    /// Reads ahead, over the ends of files, so that every thread has something to do.
    void fill()
    {
        while (ahead < files.size() && pending.size() < 2 * threads.count() + 1) {
            try {
                look_ahead();
            } catch (const Error&) {
                pending.push_back({{}, std::current_exception(), true, 0});
                ahead = files.size();
            }
        }
    }

    void look_ahead()
    {
        if (!is_open) {
            reader.open(files[ahead]);
            is_open = true;
            next = {{}, block_of_file(), false, static_cast<std::uint32_t>(::crc32(0, nullptr, 0))};
        }
        auto after = block_of_file();
        const auto* const bytes = reinterpret_cast<const Bytef*>(next.bytes.data());
        next.crc = static_cast<std::uint32_t>(::crc32(next.crc, bytes, static_cast<uInt>(next.bytes.size())));
        next.is_last = after.empty();
        const auto before =
            std::string_view{next.bytes}.substr(next.bytes.size() - std::min(next.bytes.size(), window_size));
        Block following{std::string{before}, std::move(after), false, next.crc};
        const bool is_last = next.is_last;
        const auto file_crc = next.crc;
        pending.push_back({threads.deflate(std::move(next)), {}, is_last, file_crc});
        next = std::move(following);
        if (is_last) {
            reader.close();
            is_open = false;
            ++ahead;
        }
    }

    /// Empty at the end of the file.
    std::string block_of_file()
    {
        std::string block(std::min<std::uint64_t>(block_size, files[ahead].size + 1), '\0');
        std::size_t size = 0;
        for (std::size_t got = 1; got > 0 && size < block.size(); size += got) {
            got = reader.read(block.data() + size, block.size() - size);
        }
        block.resize(size);
        return block;
    }

    /// False at the end of the file.
    bool take_next()
    {
        if (at_end) {
            return false;
        }
        fill();
        auto first = std::move(pending.front());
        pending.pop_front();
        if (first.trouble) {
            std::rethrow_exception(first.trouble);
        }
        current = first.deflated.get();
        at = 0;
        at_end = first.is_last;
        crc = first.crc;
        fill();
        return true;
    }
};

DeflatedFiles::DeflatedFiles(
    const std::filesystem::path& folder, std::span<const FolderFile> files, unsigned jobs)
    : impl_(std::make_unique<Impl>(folder, files, jobs))
{
}

DeflatedFiles::~DeflatedFiles() = default;

void DeflatedFiles::open(const FolderFile& file)
{
    auto& all = *impl_;
    if (all.given >= all.files.size() || &all.files[all.given] != &file || !all.at_end) {
        throw Error{ErrorKind::Internal, "the files of a ZIP are not asked for in their order"};
    }
    ++all.given;
    all.current.clear();
    all.at = 0;
    all.at_end = false;
}

std::size_t DeflatedFiles::read(char* data, std::size_t size)
{
    auto& all = *impl_;
    while (all.at == all.current.size()) {
        if (!all.take_next()) {
            return 0;
        }
    }
    const auto count = all.current.copy(data, size, all.at);
    all.at += count;
    return count;
}

std::uint32_t DeflatedFiles::crc() const
{
    return impl_->crc;
}

} // namespace dcmpipe::archive
