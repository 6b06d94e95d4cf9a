/// \file index-dump: what our index sees of DICOM files, for comparison with what other readers see.
///
/// index-dump [--rewrite OUT_DIR] FILE...
///
/// A line for each file (`file`, its name, its transfer syntax), then one for each element, item and
/// fragment: path of tags, VR, length (`u`: undefined), where its value starts, CRC-32 of the value. With
/// --rewrite nothing is printed of what can be read: its data set goes through a Rewriter without patches
/// into a file of OUT_DIR; they are numbered from 0 in the order of FILEs. A file that is refused gives the
/// line `refused` with the reason; the exit code then is 3.

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "dicom/instance.hpp"
#include "dicom/rewriter.hpp"

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <zlib.h>

#include <fmt/format.h>

namespace {

using namespace dcmpipe;
using dicom::Element;
using dicom::ElementIndex;

/// Pages of a mapping that nobody needs any more: else a large value would count as memory in use.
void let_go(std::string_view bytes)
{
    constexpr std::uintptr_t page = 4096;
    const auto start = reinterpret_cast<std::uintptr_t>(bytes.data());
    const auto first = (start + page - 1) / page * page;
    const auto last = (start + bytes.size()) / page * page;
    if (first < last) {
        ::madvise(const_cast<char*>(bytes.data()) + (first - start), last - first, MADV_DONTNEED);
    }
}

std::string checksum(std::string_view bytes)
{
    constexpr std::size_t piece = 1U << 20U;
    const bool mapped = bytes.size() > 2 * dicom::Inflated::MostInMemory;
    uLong sum = ::crc32(0, nullptr, 0);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const auto some = bytes.substr(at, piece);
        sum = ::crc32(sum, reinterpret_cast<const Bytef*>(some.data()), static_cast<uInt>(some.size()));
        if (mapped) {
            let_go(some);
        }
    }
    return fmt::format("{:08x}", sum);
}

/// `00081115[0].00081199`: items and fragments by their number, elements by their tag.
std::vector<std::string> paths_of(const ElementIndex& index)
{
    std::vector<std::string> paths;
    std::vector<unsigned> children(index.size(), 0);
    for (const Element& element : index.elements()) {
        const auto parent = element.parent;
        const auto around = parent == ElementIndex::None ? std::string{} : paths[parent];
        if (element.tag == dicom::tags::Item) {
            paths.push_back(fmt::format("{}[{}]", around, children[parent]++));
        } else {
            paths.push_back(fmt::format("{}{}{:08X}", around, around.empty() ? "" : ".", element.tag.value));
        }
    }
    return paths;
}

/// `offset` is where the bytes of the index start in the file.
void print(const ElementIndex& index, std::uint64_t offset)
{
    const auto paths = paths_of(index);
    for (std::uint32_t i = 0; i < index.size(); ++i) {
        const Element& element = index[i];
        const auto vr = dicom::to_string(element.vr);
        fmt::print(
            "{}\t{}\t{}\t{}\t{}\n", paths[i], element.encoding.explicit_vr && !vr.empty() ? vr : "-",
            element.undefined_length ? "u" : std::to_string(element.length), offset + element.value_offset(),
            checksum(index.value(element)));
    }
}

void dump(const std::filesystem::path& path)
{
    const auto instance = dicom::Instance::open(path);
    fmt::print("file\t{}\t{}\n", path.string(), instance.transfer_syntax());
    const auto start_of = [&](const ElementIndex& index) {
        return static_cast<std::uint64_t>(index.bytes().data() - instance.bytes().data());
    };
    print(instance.meta(), instance.meta().size() > 0 ? start_of(instance.meta()) : 0);
    print(instance.data_set(), instance.is_deflated() ? 0 : instance.data_set_offset());
}

void rewrite(const std::filesystem::path& path, const std::filesystem::path& out)
{
    const auto instance = dicom::Instance::open(path);
    OutputFile file{out};
    dicom::Rewriter{instance.data_set()}.finish().write_to(file.fd(), instance.file(), out);
    file.appear(Existing::Replace);
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<std::string> words{argv + 1, argv + argc};
    std::filesystem::path out_dir;
    if (words.size() >= 2 && words[0] == "--rewrite") {
        out_dir = words[1];
        words.erase(words.begin(), words.begin() + 2);
    }
    if (words.empty()) {
        fmt::print(stderr, "index-dump [--rewrite OUT_DIR] FILE...\n");
        return 2;
    }
    bool all_good = true;
    for (unsigned number = 0; const auto& word : words) {
        const auto out = out_dir / std::to_string(number++);
        try {
            out_dir.empty() ? dump(word) : rewrite(word, out);
        } catch (const Error& error) {
            fmt::print("refused\t{}\t{}\n", word, error.reason());
            all_good = false;
        }
    }
    return all_good ? 0 : 3;
}
