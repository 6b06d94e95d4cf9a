#include "archive/zip_reader.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"

#include <array>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include <fmt/format.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

struct Discard {
    void operator()(zip_t* zip) const { ::zip_discard(zip); }
};
struct Close {
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
};

/// Where the file system of TMPDIR knows no nameless files, memory serves.
Fd nameless_file()
{
    const char* const folder = std::getenv("TMPDIR");
    Fd fd{
        ::open(folder != nullptr && *folder != '\0' ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (!fd) {
        fd = Fd{::memfd_create("dcmpipe-unpacked", MFD_CLOEXEC)};
    }
    if (!fd) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", "TMPDIR");
    }
    return fd;
}

} // namespace

bool is_zip(const fs::path& path)
{
    using namespace std::string_view_literals;
    const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    std::array<char, dicom::preamble_size + 4> head{};
    const auto got = fd ? ::pread(fd.get(), head.data(), head.size(), 0) : -1;
    const std::string_view bytes{head.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    return (bytes.starts_with("PK\x03\x04"sv) || bytes.starts_with("PK\x05\x06"sv)) &&
           !dicom::has_prefix(bytes);
}

struct ZipReader::Impl {
    fs::path path;
    std::unique_ptr<zip_t, Discard> zip{};

    [[noreturn]] void fail(std::string_view reason) const
    {
        throw Error{ErrorKind::Input, "cannot read the ZIP", path.string(), reason};
    }
};

ZipReader::ZipReader(fs::path path) : impl_(std::make_unique<Impl>(Impl{std::move(path)}))
{
    int code = 0;
    impl_->zip.reset(::zip_open(impl_->path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
    if (!impl_->zip) {
        zip_error_t error{};
        ::zip_error_init_with_code(&error, code);
        const std::string reason = ::zip_error_strerror(&error);
        ::zip_error_fini(&error);
        impl_->fail(reason);
    }
}

ZipReader::ZipReader(ZipReader&&) noexcept = default;
ZipReader::~ZipReader() = default;

std::uint64_t ZipReader::entries() const
{
    return static_cast<std::uint64_t>(::zip_get_num_entries(impl_->zip.get(), 0));
}

std::string ZipReader::name(std::uint64_t entry) const
{
    const char* const name = ::zip_get_name(impl_->zip.get(), entry, 0);
    return name != nullptr ? name : "";
}

Fd ZipReader::unpack(std::uint64_t entry) const
{
    const std::unique_ptr<zip_file_t, Close> packed{::zip_fopen_index(impl_->zip.get(), entry, 0)};
    if (!packed) {
        impl_->fail(fmt::format("entry {}: {}", entry, ::zip_strerror(impl_->zip.get())));
    }
    auto fd = nameless_file();
    std::array<char, 64 * 1024> buffer;
    zip_int64_t count = 0;
    while ((count = ::zip_fread(packed.get(), buffer.data(), buffer.size())) > 0) {
        write_all(fd.get(), {buffer.data(), static_cast<std::size_t>(count)}, impl_->path);
    }
    if (count < 0) { // also where length or CRC are not those that the ZIP names
        impl_->fail(fmt::format("entry {}: {}", entry, ::zip_file_strerror(packed.get())));
    }
    return fd;
}

} // namespace dcmpipe::archive
