#include "dicom/study_folder.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "support/scratch.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::dicom;
namespace fs = std::filesystem;

TEST_CASE("a study folder is known by its marker, which names the study")
{
    const test::Scratch scratch;
    CHECK_FALSE(is_study_folder(scratch.path()));
    mark_study_folder(scratch.path(), "1.2.3");
    CHECK(is_study_folder(scratch.path()));
    CHECK_FALSE(is_study_folder(scratch / "sub"));
    const auto marker = scratch / study_marker;
    CHECK(read_json_file("the marker", marker) == nlohmann::json{{"StudyInstanceUID", "1.2.3"}});
}

TEST_CASE("a marker that stands already is left alone")
{
    const test::Scratch scratch;
    mark_study_folder(scratch.path(), "1.2.3");
    const auto time = fs::last_write_time(scratch / study_marker);
    mark_study_folder(scratch.path(), "1.2.4");
    CHECK(fs::last_write_time(scratch / study_marker) == time);
    CHECK(read_text_file(scratch / study_marker).find("1.2.3") != std::string::npos);
    const auto entries = std::distance(fs::directory_iterator{scratch.path()}, fs::directory_iterator{});
    CHECK(entries == 1);
}

TEST_CASE("a marker that cannot be written is an error")
{
    const test::Scratch scratch;
    CHECK_THROWS_AS(mark_study_folder("/proc/no/such", "1.2.3"), Error);
}
