#include "archive/zip_check.hpp"
#include "archive/zip_writer.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/output_file.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using archive::Compression;

namespace {

struct Fixture {
    test::Scratch scratch;
    std::filesystem::path zip = scratch / "a.zip";

    std::vector<archive::FolderFile> files()
    {
        write_text_file(scratch / "in/one", "the first file");
        write_text_file(scratch / "in/two", std::string(100'000, 'x'));
        return archive::files_below(scratch / "in");
    }

    void write(const std::vector<archive::FolderFile>& files, Compression compression)
    {
        OutputFile out{zip};
        archive::write_zip(out.fd(), zip, scratch / "in", files, {compression});
        out.publish(Existing::Replace);
    }

    /// Turns round one byte of the ZIP.
    void damage(std::size_t at)
    {
        auto bytes = read_text_file(zip);
        bytes.at(at) = static_cast<char>(~bytes.at(at));
        write_text_file(zip, bytes);
    }
};

} // namespace

TEST_CASE_METHOD(Fixture, "what was written passes the check")
{
    for (const auto compression : {Compression::None, Compression::Deflate}) {
        write(files(), compression);
        CHECK(archive::check_zip(zip).entries == 2);
    }
}

TEST_CASE_METHOD(Fixture, "one wrong byte does not: in a file, in a local header, in the directory")
{
    write(files(), Compression::None);
    const auto whole = read_text_file(zip);
    const auto content = whole.find("the first file");
    const auto header = whole.find("in/one");
    const auto directory = whole.rfind("in/two");
    for (const auto at : {content, header, directory}) {
        CAPTURE(at);
        write_text_file(zip, whole);
        damage(at);
        CHECK_THROWS_AS(archive::check_zip(zip), Error);
    }
}

TEST_CASE_METHOD(Fixture, "nor does a ZIP that is cut short, empty, or none")
{
    write(files(), Compression::Deflate);
    const auto whole = read_text_file(zip);
    const std::string no_entries = std::string{"PK\5\6"} + std::string(18, '\0');
    for (const auto& bytes :
         {whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2), std::string{},
          std::string{"not a ZIP"}, no_entries}) {
        CAPTURE(bytes.size());
        write_text_file(zip, bytes);
        CHECK_THROWS_AS(archive::check_zip(zip), Error);
    }
    CHECK_THROWS_AS(archive::check_zip(scratch / "nowhere.zip"), Error);
}

TEST_CASE_METHOD(Fixture, "a file that grew or shrank since it was listed is refused")
{
    auto grown = files();
    grown[0].size -= 1;
    CHECK_THROWS_WITH(write(grown, Compression::None), Catch::Contains("it changed meanwhile"));
    auto shrunk = files();
    shrunk[1].size += 1;
    CHECK_THROWS_WITH(write(shrunk, Compression::Deflate), Catch::Contains("it changed meanwhile"));
}

TEST_CASE_METHOD(Fixture, "a file that cannot be read is named")
{
    auto listed = files();
    const auto gone = scratch / "in" / listed[1].name;
    std::filesystem::remove(gone);
    CHECK_THROWS_WITH(
        write(listed, Compression::None), "cannot read '" + gone.string() + "': No such file or directory");
}

TEST_CASE_METHOD(Fixture, "names are in the order of their bytes, whatever the folders")
{
    for (const auto* const name : {"in/b/x", "in/a/z", "in/B", "in/a.b", "in/.hidden/x", "in/a/.part"}) {
        write_text_file(scratch / name, "");
    }
    std::vector<std::string> names;
    for (const auto& file : archive::files_below(scratch / "in")) {
        names.push_back(file.name);
    }
    CHECK(names == std::vector<std::string>{"B", "a.b", "a/z", "b/x"});
}
