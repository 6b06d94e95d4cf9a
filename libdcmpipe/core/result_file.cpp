#include "core/result_file.hpp"

#include "core/error.hpp"
#include "core/output_file.hpp"

namespace dcmpipe {

namespace fs = std::filesystem;

Status write_result(const Rope& bytes, const FileBytes* source, const fs::path& path, bool overwrite)
{
    const auto stands_there = [&] {
        std::error_code ignored;
        return fs::exists(path, ignored) && bytes.equals(FileBytes::open(path).view());
    };
    if (stands_there()) {
        return Status::Skipped;
    }
    OutputFile file{path};
    bytes.write_to(file.fd(), source, path);
    if (file.publish(overwrite ? Existing::Replace : Existing::Keep)) {
        return Status::Ok;
    }
    if (stands_there()) {
        return Status::Skipped;
    }
    throw Error{
        ErrorKind::Output, "cannot write", path.string(), "it exists and differs (--overwrite replaces it)"};
}

} // namespace dcmpipe
