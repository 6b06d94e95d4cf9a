#include "core/files.hpp"

#include "core/error.hpp"
#include "support/scratch.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace dcmpipe;
namespace fs = std::filesystem;

namespace {

void touch(const fs::path& path)
{
    fs::create_directories(path.parent_path());
    std::ofstream{path} << "x";
}

std::vector<std::string> names_below(const fs::path& root)
{
    std::vector<std::string> names;
    for (const auto& path : files_below(root)) {
        names.push_back(fs::path{path}.lexically_relative(root).string());
    }
    return names;
}

} // namespace

TEST_CASE("files come by name, folder by folder, without hidden ones")
{
    const test::Scratch scratch;
    for (const auto* const name : {"b/2", "b/10", "a", "c/d/e", ".hidden", "b/.part", ".git/x"}) {
        touch(scratch / name);
    }
    fs::create_directories(scratch / "empty");
    CHECK(names_below(scratch.path()) == std::vector<std::string>{"a", "b/10", "b/2", "c/d/e"});
}

TEST_CASE("what is no folder stands for itself, also where it is not there")
{
    const test::Scratch scratch;
    touch(scratch / "a");
    CHECK(files_below(scratch / "a") == std::vector{(scratch / "a").string()});
    CHECK(files_below(scratch / "gone") == std::vector{(scratch / "gone").string()});
}

TEST_CASE("a link to a file is a file, a link to a folder is passed over, a dead link is a file to fail on")
{
    const test::Scratch scratch;
    touch(scratch / "real/x");
    fs::create_directories(scratch / "in");
    fs::create_symlink(scratch / "real/x", scratch / "in/file");
    fs::create_directory_symlink(scratch / "in", scratch / "in/round");
    fs::create_symlink(scratch / "gone", scratch / "in/dead");
    CHECK(names_below(scratch / "in") == std::vector<std::string>{"dead", "file"});
}

TEST_CASE("below means below, whatever the spelling")
{
    const test::Scratch scratch;
    const auto out = scratch / "out";
    fs::create_directories(out / "a");
    fs::create_directory_symlink(out, scratch / "link");
    CHECK(is_below(out, out));
    CHECK(is_below(out / "a", out));
    CHECK(is_below(out / "a/../a/not/yet", out / ""));
    CHECK(is_below(scratch / "link/a", out));
    CHECK(is_below(out / "a", scratch / "link"));
    CHECK_FALSE(is_below(scratch / "outer", out));
    CHECK_FALSE(is_below(out / "..", out));
    CHECK_FALSE(is_below(scratch.path(), out));
}

TEST_CASE("a path that leads round in circles is an error, not an answer")
{
    const test::Scratch scratch;
    fs::create_symlink(scratch / "b", scratch / "a");
    fs::create_symlink(scratch / "a", scratch / "b");
    CHECK_THROWS_AS(is_below(scratch / "a/x", scratch.path()), Error);
}
