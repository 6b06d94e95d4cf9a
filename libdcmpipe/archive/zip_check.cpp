#include "archive/zip_check.hpp"

#include "core/error.hpp"

#include <array>
#include <memory>
#include <string>

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
Zip open_strictly(const fs::path& path, const fs::path& name)
{
    int code = 0;
    Zip zip{::zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code)};
    if (!zip) {
        zip_error_t error{};
        ::zip_error_init_with_code(&error, code);
        const std::string reason = ::zip_error_strerror(&error);
        ::zip_error_fini(&error);
        refuse(name, reason);
    }
    return zip;
}

/// zip_fread() compares length and CRC once it reaches the end.
void read_to_the_end(const Zip& zip, std::uint64_t index, const fs::path& name)
{
    const ZipEntry entry{::zip_fopen_index(zip.get(), index, 0)};
    if (!entry) {
        refuse(name, fmt::format("entry {}: {}", index, ::zip_strerror(zip.get())));
    }
    std::array<char, 64 * 1024> buffer;
    zip_int64_t count = 0;
    do {
        count = ::zip_fread(entry.get(), buffer.data(), buffer.size());
    } while (count > 0);
    if (count < 0) {
        refuse(name, fmt::format("entry {}: {}", index, ::zip_file_strerror(entry.get())));
    }
}

std::uint64_t check(const fs::path& path, const fs::path& name)
{
    const auto zip = open_strictly(path, name);
    const auto entries = static_cast<std::uint64_t>(::zip_get_num_entries(zip.get(), 0));
    if (entries == 0) {
        refuse(name, "it is empty");
    }
    for (std::uint64_t index = 0; index < entries; ++index) {
        read_to_the_end(zip, index, name);
    }
    return entries;
}

} // namespace

std::uint64_t check_zip(const fs::path& zip)
{
    return check(zip, zip);
}

std::uint64_t check_zip(int fd, const fs::path& name)
{
    return check(fmt::format("/proc/self/fd/{}", fd), name);
}

} // namespace dcmpipe::archive
