#include "archive/zip_writer.hpp"

#include "archive/file_reader.hpp"
#include "archive/zip_deflate.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <zip.h>

namespace dcmpipe::archive {

namespace fs = std::filesystem;

namespace {

constexpr zip_uint16_t first_dos_date = 1U << 5U | 1U; ///< 1980-01-01
constexpr zip_uint32_t plain_file_mode = (S_IFREG | 0644U) << 16U;
constexpr std::size_t buffer_size = 256 * 1024;

struct Discard {
    void operator()(zip_t* zip) const { ::zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, Discard>;

/// What libzip calls back during zip_close(). An exception must not pass through C: the first one waits here.
struct Trouble {
    std::optional<Error> first;

    zip_int64_t keep(Error error)
    {
        if (!first) {
            first.emplace(std::move(error));
        }
        return -1;
    }
};

/// The end that libzip writes the archive to: a file descriptor behind a buffer.
class Sink {
public:
    Sink(int fd, const fs::path& name, Trouble& trouble) : fd_(fd), name_(name), trouble_(trouble) {}

    static zip_int64_t call(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command)
    {
        return static_cast<Sink*>(self)->answer(data, size, command);
    }

private:
    zip_int64_t answer(void* data, zip_uint64_t size, zip_source_cmd_t command)
    {
        switch (command) {
        case ZIP_SOURCE_SUPPORTS:
            return ZIP_SOURCE_SUPPORTS_WRITABLE;
        case ZIP_SOURCE_STAT:
            // A new archive: there is nothing to read yet, and libzip never reads what it wrote.
            ::zip_error_set(&error_, ZIP_ER_READ, ENOENT);
            return -1;
        case ZIP_SOURCE_ERROR:
            return ::zip_error_to_data(&error_, data, size);
        case ZIP_SOURCE_WRITE:
            return write(static_cast<const char*>(data), size);
        case ZIP_SOURCE_SEEK_WRITE:
            return seek(data, size);
        case ZIP_SOURCE_TELL_WRITE:
            return static_cast<zip_int64_t>(position_ + buffer_.size());
        case ZIP_SOURCE_COMMIT_WRITE:
            return flush();
        case ZIP_SOURCE_BEGIN_WRITE:
        case ZIP_SOURCE_ROLLBACK_WRITE:
        case ZIP_SOURCE_REMOVE:
        case ZIP_SOURCE_FREE:
            return 0;
        default:
            ::zip_error_set(&error_, ZIP_ER_OPNOTSUPP, 0);
            return -1;
        }
    }

    zip_int64_t write(const char* data, zip_uint64_t size)
    {
        if (buffer_.size() + size > buffer_size && flush() != 0) {
            return -1;
        }
        buffer_.append(data, size);
        return static_cast<zip_int64_t>(size);
    }

    zip_int64_t seek(void* data, zip_uint64_t size)
    {
        if (flush() != 0) {
            return -1;
        }
        const auto to = ::zip_source_seek_compute_offset(position_, end_, data, size, &error_);
        position_ = to < 0 ? position_ : static_cast<zip_uint64_t>(to);
        return to < 0 ? -1 : 0;
    }

    zip_int64_t flush()
    {
        for (std::string_view rest = buffer_; !rest.empty();) {
            const auto written = ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(position_));
            if (written < 0 && errno != EINTR) {
                ::zip_error_set(&error_, ZIP_ER_WRITE, errno);
                return trouble_.keep(Error::from_errno(ErrorKind::Output, "cannot write", name_.string()));
            }
            if (written > 0) {
                rest.remove_prefix(static_cast<std::size_t>(written));
                position_ += static_cast<zip_uint64_t>(written);
            }
        }
        buffer_.clear();
        end_ = std::max(end_, position_);
        return 0;
    }

    int fd_;
    const fs::path& name_;
    Trouble& trouble_;
    std::string buffer_;
    zip_uint64_t position_ = 0; ///< in the file, of the buffer's first byte
    zip_uint64_t end_ = 0;
    zip_error_t error_{};
};

/// Reads the files into the archive, one after the other.
class Reader {
public:
    Reader(const fs::path& folder, std::span<const FolderFile> files, const ZipForm& form, Trouble& trouble)
        : plain_(folder), trouble_(trouble)
    {
        if (form.compression == Compression::Deflate) {
            deflated_.emplace(folder, files, form.jobs);
        }
    }

    zip_int64_t answer(const FolderFile& file, void* data, zip_uint64_t size, zip_source_cmd_t command)
    {
        switch (command) {
        case ZIP_SOURCE_SUPPORTS:
            return ZIP_SOURCE_SUPPORTS_READABLE;
        case ZIP_SOURCE_OPEN:
            return attempt([&] {
                deflated_ ? deflated_->open(file) : plain_.open(file);
                return std::size_t{0};
            });
        case ZIP_SOURCE_READ:
            return attempt([&] {
                auto* const bytes = static_cast<char*>(data);
                return deflated_ ? deflated_->read(bytes, size) : plain_.read(bytes, size);
            });
        case ZIP_SOURCE_STAT:
            return tell(file, static_cast<zip_stat_t*>(data));
        case ZIP_SOURCE_ERROR:
            return ::zip_error_to_data(&error_, data, size);
        case ZIP_SOURCE_CLOSE:
            plain_.close();
            return 0;
        case ZIP_SOURCE_FREE:
            return 0;
        default:
            ::zip_error_set(&error_, ZIP_ER_OPNOTSUPP, 0);
            return -1;
        }
    }

private:
    template <class Work>
    zip_int64_t attempt(Work work)
    {
        try {
            return static_cast<zip_int64_t>(work());
        } catch (const Error& error) {
            ::zip_error_set(&error_, ZIP_ER_READ, EIO);
            return trouble_.keep(error);
        }
    }

    /// libzip takes what says that it is deflated as it is; it asks for the CRC once it has read all.
    zip_int64_t tell(const FolderFile& file, zip_stat_t* status) const
    {
        ::zip_stat_init(status);
        status->size = file.size;
        status->valid = ZIP_STAT_SIZE;
        if (deflated_) {
            status->comp_method = ZIP_CM_DEFLATE;
            status->crc = deflated_->crc();
            status->valid |= ZIP_STAT_COMP_METHOD | ZIP_STAT_CRC;
        }
        return sizeof *status;
    }

    FileReader plain_;
    std::optional<DeflatedFiles> deflated_;
    Trouble& trouble_;
    zip_error_t error_{};
};

/// What libzip keeps of an entry until its turn comes: as little as possible.
struct Source {
    const FolderFile& file;
    Reader& reader;

    static zip_int64_t call(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command)
    {
        const auto& source = *static_cast<const Source*>(self);
        return source.reader.answer(source.file, data, size, command);
    }
};

[[noreturn]] void fail(const fs::path& name, const Trouble& trouble, const char* otherwise)
{
    if (trouble.first) {
        throw Error{*trouble.first};
    }
    throw Error{ErrorKind::Output, "cannot write", name.string(), otherwise};
}

Zip open_for_writing(Sink& sink, const fs::path& name, const Trouble& trouble)
{
    zip_error_t error{};
    zip_source_t* const end = ::zip_source_function_create(&Sink::call, &sink, &error);
    Zip zip{end == nullptr ? nullptr : ::zip_open_from_source(end, ZIP_CREATE | ZIP_TRUNCATE, &error)};
    if (!zip) {
        ::zip_source_free(end);
        fail(name, trouble, ::zip_error_strerror(&error));
    }
    return zip;
}

/// False where libzip refuses; its reason is in `zip`.
bool add(zip_t* zip, const std::string& name, Source& source, const ZipForm& form)
{
    zip_source_t* const data = ::zip_source_function(zip, &Source::call, &source);
    const zip_flags_t encoding = is_utf8(name) ? ZIP_FL_ENC_UTF_8 : ZIP_FL_ENC_CP437;
    const auto added = data == nullptr ? -1 : ::zip_file_add(zip, name.c_str(), data, encoding);
    if (added < 0) {
        ::zip_source_free(data);
        return false;
    }
    const auto index = static_cast<zip_uint64_t>(added);
    const auto method = form.compression == Compression::None ? ZIP_CM_STORE : ZIP_CM_DEFLATE;
    const auto encrypted = [&] {
        return form.password.empty() ||
               ::zip_file_set_encryption(zip, index, ZIP_EM_AES_256, form.password.c_str()) == 0;
    };
    return ::zip_set_file_compression(zip, index, method, 0) == 0 && encrypted() &&
           ::zip_file_set_dostime(zip, index, 0, first_dos_date, 0) == 0 &&
           ::zip_file_set_external_attributes(zip, index, 0, ZIP_OPSYS_UNIX, plain_file_mode) == 0;
}

} // namespace

void write_zip(
    int fd, const fs::path& name, const fs::path& folder, std::span<const FolderFile> files,
    const ZipForm& form)
{
    const auto top_folder = folder.filename().string() + "/";
    Trouble trouble;
    Sink sink{fd, name, trouble};
    Reader reader{folder, files, form, trouble};
    std::vector<Source> sources;
    sources.reserve(files.size());
    auto zip = open_for_writing(sink, name, trouble);
    for (const FolderFile& file : files) {
        auto& source = sources.emplace_back(Source{file, reader});
        if (!add(zip.get(), top_folder + file.name, source, form)) {
            fail(name, trouble, ::zip_strerror(zip.get()));
        }
    }
    if (::zip_close(zip.get()) != 0) {
        fail(name, trouble, ::zip_strerror(zip.get()));
    }
    static_cast<void>(zip.release()); // zip_close() frees it where it succeeds
}

} // namespace dcmpipe::archive
