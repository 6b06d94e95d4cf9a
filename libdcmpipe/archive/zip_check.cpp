#include "archive/zip_check.hpp"

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/sha256.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <zip.h>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

struct Discard {
    void operator()(zip_t* zip) const { ::zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, Discard>;

struct Close {
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
};
using ZipEntry = std::unique_ptr<zip_file_t, Close>;

[[noreturn]] void refuse(const fs::path& name, std::string_view reason)
{
    throw Error{ErrorKind::Input, "cannot use the ZIP", name.string(), reason};
}

/// `name` stands for `path` in errors.
Zip open_strictly(const fs::path& path, const fs::path& name, const std::string& password, int flags)
{
    int code = 0;
    Zip zip{::zip_open(path.c_str(), ZIP_RDONLY | flags, &code)};
    if (!zip) {
        zip_error_t error{};
        ::zip_error_init_with_code(&error, code);
        const std::string reason = ::zip_error_strerror(&error);
        ::zip_error_fini(&error);
        refuse(name, reason);
    }
    if (!password.empty() && ::zip_set_default_password(zip.get(), password.c_str()) != 0) {
        refuse(name, ::zip_strerror(zip.get()));
    }
    return zip;
}

/// zip_fread() compares length and CRC once it reaches the end.
void read_to_the_end(
    const Zip& zip, std::uint64_t index, std::span<char> buffer, const fs::path& name,
    const std::atomic<bool>& abandoned)
{
    const ZipEntry entry{::zip_fopen_index(zip.get(), index, 0)};
    if (!entry) {
        refuse(name, fmt::format("entry {}: {}", index, ::zip_strerror(zip.get())));
    }
    zip_int64_t count = 0;
    do {
        count = ::zip_fread(entry.get(), buffer.data(), buffer.size());
    } while (count > 0 && !abandoned);
    if (count < 0) {
        refuse(name, fmt::format("entry {}: {}", index, ::zip_file_strerror(entry.get())));
    }
}

std::string content_of(const Zip& zip, std::uint64_t entries)
{
    Sha256 digest;
    for (std::uint64_t index = 0; index < entries; ++index) {
        zip_stat_t entry{};
        if (::zip_stat_index(zip.get(), index, 0, &entry) != 0 || entry.encryption_method != ZIP_EM_NONE) {
            return {};
        }
        const std::string_view name = entry.name;
        digest.add(fmt::format("{} {} {} {:08x}\n", name.size(), name, entry.size, entry.crc));
    }
    return digest.hex();
}

/// Enough for the work to outweigh another look at the directory, which each thread holds in memory.
constexpr std::uint64_t bytes_to_share = 64U << 20U;
constexpr std::uint64_t most_entries_for_threads = 20'000;

/// A ZIP whose directory was read and agrees with every local header.
struct OpenZip {
    fs::path path;
    fs::path name; ///< stands for `path` in errors
    std::string password;
    Zip zip;
    std::uint64_t entries;
};

OpenZip open_to_check(const fs::path& path, const fs::path& name, const std::string& password)
{
    auto zip = open_strictly(path, name, password, ZIP_CHECKCONS);
    const auto entries = static_cast<std::uint64_t>(::zip_get_num_entries(zip.get(), 0));
    if (entries == 0) {
        refuse(name, "it is empty");
    }
    return {path, name, password, std::move(zip), entries};
}

void read_entries(const OpenZip& open, const std::atomic<bool>& abandoned)
{
    std::atomic<std::uint64_t> next = 0;
    const auto take_turns = [&](const Zip& own) {
        std::vector<char> buffer(256 * 1024);
        for (auto index = next++; index < open.entries && !abandoned; index = next++) {
            read_to_the_end(own, index, buffer, open.name, abandoned);
        }
    };
    const bool shared =
        open.entries <= most_entries_for_threads && fs::file_size(open.path) >= bytes_to_share;
    for_each_index(shared ? 2 : 1, 0, [&](std::size_t thread) {
        thread == 0 ? take_turns(open.zip)
                    : take_turns(open_strictly(open.path, open.name, open.password, 0));
    });
}

CheckedZip check(const fs::path& path, const fs::path& name, const std::string& password)
{
    const auto open = open_to_check(path, name, password);
    read_entries(open, false);
    return {open.entries, content_of(open.zip, open.entries)};
}

fs::path path_of(int fd)
{
    return fmt::format("/proc/self/fd/{}", fd);
}

/// Fills the buffer unless the entry ends before.
std::size_t fill(const ZipEntry& entry, std::span<char> buffer, const fs::path& name)
{
    std::size_t size = 0;
    for (zip_int64_t got = 1; got > 0 && size < buffer.size(); size += static_cast<std::size_t>(got)) {
        got = ::zip_fread(entry.get(), buffer.data() + size, buffer.size() - size);
        if (got < 0) {
            refuse(name, ::zip_file_strerror(entry.get()));
        }
    }
    return size;
}

bool same_entry(const Zip& a, const Zip& b, std::uint64_t index, const fs::path& name)
{
    const std::string_view name_a = ::zip_get_name(a.get(), index, ZIP_FL_ENC_RAW);
    const ZipEntry entry_a{::zip_fopen_index(a.get(), index, 0)};
    const ZipEntry entry_b{::zip_fopen_index(b.get(), index, 0)};
    if (!entry_a || !entry_b || name_a != ::zip_get_name(b.get(), index, ZIP_FL_ENC_RAW)) {
        return false;
    }
    std::vector<char> buffer_a(256 * 1024);
    std::vector<char> buffer_b(buffer_a.size());
    for (;;) {
        const auto size = fill(entry_a, buffer_a, name);
        if (size != fill(entry_b, buffer_b, name) ||
            !std::equal(
                buffer_a.begin(), buffer_a.begin() + static_cast<std::ptrdiff_t>(size), buffer_b.begin())) {
            return false;
        }
        if (size == 0) {
            return true;
        }
    }
}

} // namespace

bool same_entries(const fs::path& a, int b, const std::string& password)
{
    try {
        const auto zip_a = open_strictly(a, a, password, 0);
        const auto zip_b = open_strictly(path_of(b), a, password, 0);
        const auto entries = ::zip_get_num_entries(zip_a.get(), 0);
        for (zip_int64_t index = 0; index < entries; ++index) {
            if (!same_entry(zip_a, zip_b, static_cast<std::uint64_t>(index), a)) {
                return false;
            }
        }
        return entries == ::zip_get_num_entries(zip_b.get(), 0);
    } catch (const Error&) {
        return false; // no ZIP, or under another password
    }
}

CheckedZip check_zip(const fs::path& zip, const std::string& password)
{
    return check(zip, zip, password);
}

CheckedZip check_zip(int fd, const fs::path& name, const std::string& password)
{
    return check(path_of(fd), name, password);
}

struct ZipCheck::Impl {
    OpenZip open;
    std::string content;
    std::atomic<bool> abandoned = false;
    std::shared_future<void> reading{}; ///< the last member: its threads read the others
};

ZipCheck::ZipCheck(int fd, const fs::path& name, const std::string& password)
    : impl_(new Impl{open_to_check(path_of(fd), name, password), {}})
{
    impl_->content = content_of(impl_->open.zip, impl_->open.entries);
}

ZipCheck::~ZipCheck()
{
    impl_->abandoned = true;
}

const std::string& ZipCheck::content() const
{
    return impl_->content;
}

bool ZipCheck::is_whole(std::chrono::milliseconds wait)
{
    auto& reading = impl_->reading;
    if (!reading.valid()) {
        reading = std::async(std::launch::async, [this] { read_entries(impl_->open, impl_->abandoned); });
    }
    if (reading.wait_for(wait) != std::future_status::ready) {
        return false;
    }
    reading.get();
    return true;
}

} // namespace dcmpipe::archive
