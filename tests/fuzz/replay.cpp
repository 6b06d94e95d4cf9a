/// \file The plain build of a fuzz harness: runs it over files, and the files of folders, once each.

#include "fuzz/fuzz.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& path)
{
    if (!fs::is_directory(path)) {
        return {path};
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator{path}) {
        if (entry.is_regular_file()) {
            files.push_back(entry.path());
        }
    }
    return files;
}

} // namespace

int main(int argc, char** argv)
{
    unsigned runs = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& path : files_of(argv[i])) {
            std::ifstream file{path, std::ios::binary};
            const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
            // On a heap block of just this size, so that a sanitizer sees a read past it.
            const std::vector<std::uint8_t> block{bytes.begin(), bytes.end()};
            // Said first: the one that kills the program is the last one named.
            fmt::print("{}\n", path.string());
            std::fflush(stdout);
            LLVMFuzzerTestOneInput(block.data(), block.size());
            ++runs;
        }
    }
    return runs > 0 ? 0 : 2;
}
