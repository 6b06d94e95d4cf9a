#include "core/output_file.hpp"

#include "core/error.hpp"
#include "support/child.hpp"
#include "support/deny.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace dcmpipe;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::size_t count_in(const fs::path& folder)
{
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{folder}, {}));
}

/// A file system without nameless files, as NFS and FAT are. In a child.
void deny_nameless_files()
{
    constexpr std::uint32_t only_tmpfile = O_TMPFILE & ~O_DIRECTORY;
    test::deny(SYS_openat, 2, only_tmpfile, EOPNOTSUPP);
}

/// ... and without renames that refuse to replace, as NFS is.
void deny_careful_renames()
{
    test::deny(SYS_renameat2, 4, RENAME_NOREPLACE, EINVAL);
}

void expect(bool good)
{
    if (!good) {
        throw std::runtime_error{"not as expected"};
    }
}

} // namespace

TEST_CASE("a file appears whole under its name when it is published, and not before")
{
    const test::Scratch scratch;
    OutputFile file{scratch / "a.dcm"};
    file.write("some ");
    file.write("bytes");
    CHECK(count_in(scratch.path()) == 0);
    CHECK(file.path() == scratch / "a.dcm");
    CHECK(file.publish(Existing::Keep));
    CHECK(content(scratch / "a.dcm") == "some bytes");
    CHECK(count_in(scratch.path()) == 1);
}

TEST_CASE("a file that is never published leaves nothing")
{
    const test::Scratch scratch;
    {
        OutputFile file{scratch / "a.dcm"};
        file.write("bytes");
        file.sync();
    }
    CHECK(count_in(scratch.path()) == 0);
}

TEST_CASE("a process killed before it publishes leaves nothing")
{
    const test::Scratch scratch;
    CHECK(test::in_child([&] {
              OutputFile file{scratch / "folder" / "a.dcm"};
              file.write("bytes");
              file.sync();
              ::raise(SIGKILL);
          }) == 128 + SIGKILL);
    CHECK(count_in(scratch / "folder") == 0);
}

TEST_CASE("a taken name is kept or replaced, as asked")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "a"} << "old";
    OutputFile kept{scratch / "a"};
    kept.write("new");
    CHECK_FALSE(kept.publish(Existing::Keep));
    CHECK(content(scratch / "a") == "old");
    OutputFile replaced{scratch / "a"};
    replaced.write("new");
    CHECK(replaced.publish(Existing::Replace));
    CHECK(content(scratch / "a") == "new");
    CHECK(count_in(scratch.path()) == 1);
}

TEST_CASE("of many that write one name at once, one wins and the others know")
{
    const test::Scratch scratch;
    std::atomic<int> winners{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            OutputFile file{scratch / "deep" / "er" / "a"};
            file.write(std::string(1000, static_cast<char>('0' + i)));
            winners += file.publish(Existing::Keep) ? 1 : 0;
        });
    }
    threads.clear();
    CHECK(winners == 1);
    const auto bytes = content(scratch / "deep" / "er" / "a");
    CHECK(bytes == std::string(1000, bytes.front()));
    CHECK(count_in(scratch / "deep" / "er") == 1);
}

TEST_CASE("missing folders are made, not for others to read; the mode of the file is as asked")
{
    const test::Scratch scratch;
    const auto old_mask = ::umask(022);
    OutputFile file{scratch / "x" / "y" / "secret", 0600};
    file.publish(Existing::Keep);
    ::umask(old_mask);
    CHECK(
        (fs::status(scratch / "x" / "y" / "secret").permissions() & fs::perms::mask) ==
        (fs::perms::owner_read | fs::perms::owner_write));
    CHECK((fs::status(scratch / "x").permissions() & fs::perms::others_all) == fs::perms::none);
}

TEST_CASE("what cannot be written is said, with the name")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "file"} << "no folder";
    const auto names_it = Catch::Matchers::Contains("'" + (scratch / "file").string());
    CHECK_THROWS_WITH(OutputFile(scratch / "file" / "a"), names_it);
    CHECK_THROWS_WITH(make_folders(scratch / "file" / "sub"), names_it);
    CHECK_THROWS_WITH(make_folders(scratch / "file"), names_it);
    CHECK_THROWS_AS(sync_folder(scratch / "none"), Error);
    fs::create_directory(scratch / "taken");
    CHECK_THROWS_AS(OutputFile{scratch / "taken"}.publish(Existing::Replace), Error);
    CHECK(count_in(scratch.path()) == 2);
}

TEST_CASE("a full disk is an error, and leaves nothing")
{
    const test::Scratch scratch;
    CHECK(test::in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit most{1000, 1000};
              ::setrlimit(RLIMIT_FSIZE, &most);
              OutputFile file{scratch / "a"};
              try {
                  file.write(std::string(5000, 'x'));
              } catch (const Error& error) {
                  expect(error.kind() == ErrorKind::Output && error.subject() == scratch / "a");
                  return;
              }
              expect(false);
          }) == 0);
    CHECK(count_in(scratch.path()) == 0);
}

TEST_CASE("where the file system knows no nameless files, a hidden name serves")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "taken"} << "old";
    CHECK(test::in_child([&] {
              deny_nameless_files();
              {
                  OutputFile dropped{scratch / "dropped"};
                  dropped.write("x");
                  expect(count_in(scratch.path()) == 2);
              }
              OutputFile file{scratch / "a"};
              file.write("bytes");
              expect(!fs::exists(scratch / "a"));
              expect(file.publish(Existing::Keep));
              OutputFile kept{scratch / "taken"};
              expect(!kept.publish(Existing::Keep));
              OutputFile replaced{scratch / "b"};
              expect(replaced.publish(Existing::Replace));
              const OutputFile moved{std::move(kept)};
          }) == 0);
    CHECK(content(scratch / "a") == "bytes");
    CHECK(content(scratch / "taken") == "old");
    CHECK(fs::exists(scratch / "b"));
    CHECK(count_in(scratch.path()) == 3);
}

TEST_CASE("where it cannot rename without replacing either, a taken name is kept all the same")
{
    const test::Scratch scratch;
    std::ofstream{scratch / "taken"} << "old";
    CHECK(test::in_child([&] {
              deny_nameless_files();
              deny_careful_renames();
              OutputFile file{scratch / "a"};
              file.write("bytes");
              expect(file.publish(Existing::Keep));
              OutputFile kept{scratch / "taken"};
              expect(!kept.publish(Existing::Keep));
          }) == 0);
    CHECK(content(scratch / "a") == "bytes");
    CHECK(content(scratch / "taken") == "old");
    CHECK(count_in(scratch.path()) == 2);
}

TEST_CASE("a file can be moved to another owner before it is published")
{
    const test::Scratch scratch;
    OutputFile first{scratch / "a"};
    first.write("one ");
    OutputFile second{std::move(first)};
    second.write("two");
    CHECK(second.publish(Existing::Keep));
    CHECK(content(scratch / "a") == "one two");
}

TEST_CASE("a folder that cannot be made is an error, not an endless try")
{
    CHECK_THROWS_WITH(make_folders("/proc/no/such"), Catch::Matchers::Contains("cannot make the folder"));
    const test::Scratch scratch;
    // From a folder that is deleted under its feet.
    CHECK(test::in_child([&] {
              std::filesystem::create_directory(scratch / "gone");
              std::filesystem::current_path(scratch / "gone");
              std::filesystem::remove(scratch / "gone");
              ::alarm(5);
              make_folders("a/b");
          }) == 99);
}

TEST_CASE("a small text file replaces what stood there")
{
    const test::Scratch scratch;
    write_text_file(scratch / "a.json", "{}\n");
    write_text_file(scratch / "a.json", "{\"x\":1}\n");
    CHECK(content(scratch / "a.json") == "{\"x\":1}\n");
}

TEST_CASE("writing to nowhere names the place")
{
    CHECK_THROWS_WITH(write_all(-1, "x", "stdout"), Catch::Matchers::Contains("cannot write 'stdout'"));
    CHECK_NOTHROW(write_all(-1, "", "stdout"));
}
