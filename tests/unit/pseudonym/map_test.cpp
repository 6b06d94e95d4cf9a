#include "pseudonym/map.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "support/scratch.hpp"

#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace dcmpipe;
using namespace dcmpipe::pseudonym;
using dicom::Tag;

namespace {

struct Fixture {
    test::Scratch scratch;
    std::filesystem::path path = scratch / "link.db";
    Key key = Key::generate();
    RestoreKey restore_key = RestoreKey::generate();

    Fixture() { Map::create(path, key, restore_key); }
    Map open() const { return Map::open(path, key); }
};

Originals originals(const std::string& instance, std::map<Tag, std::string> elements)
{
    return {
        instance, "series", "study", 1, "1.2.840.10008.1.2.1", std::move(elements), {Tag{0x0012, 0x0062}}};
}

const Tag name{0x0010, 0x0010};
const Tag id{0x0010, 0x0020};
const Tag uid{0x0008, 0x0018};

} // namespace

TEST_CASE_METHOD(Fixture, "codes count up in the order of first sight and stay")
{
    auto map = open();
    CHECK(map.patient({"A", "1"}, {}).code == "sub-001");
    CHECK(map.patient({"A", "2"}, {}).code == "sub-002");
    CHECK(map.patient({"B", "1"}, {}).code == "sub-003");
    CHECK(map.patient({"A", "1"}, {}).code == "sub-001");
    CHECK(open().find({"A", "2"})->code == "sub-002");
    CHECK_FALSE(map.find({"A", "3"}));
}

TEST_CASE_METHOD(Fixture, "a patient's shift is the key's, and the form of codes can be chosen")
{
    auto map = open();
    const auto patient = map.patient({"A", "1"}, {.form = {CodeForm::Kind::Keyed, "", 0}});
    CHECK(patient.code == key.patient_code({"A", "1"}));
    CHECK(patient.shift_days == key.shift_days({"A", "1"}));
    CHECK(map.patient({"A", "2"}, {.form = {CodeForm::Kind::Sequential, "P", 5}}).code == "P00002");
}

TEST_CASE_METHOD(Fixture, "who was met before is known while others wait to write")
{
    using namespace std::chrono_literals;
    auto map = open();
    const auto code = map.patient({"A", "1"}, {}).code;
    SQLite::Database elsewhere{path.string(), SQLite::OPEN_READWRITE};
    elsewhere.exec("BEGIN IMMEDIATE");
    auto writing = std::async(std::launch::async, [&] { map.remember({originals("i1", {{name, "Doe"}})}); });
    CHECK(writing.wait_for(200ms) == std::future_status::timeout); // it has to wait for the other process
    auto known = std::async(std::launch::async, [&] { return map.patient({"A", "1"}, {}).code; });
    const bool at_once = known.wait_for(10s) == std::future_status::ready;
    elsewhere.exec("ROLLBACK");
    CHECK(at_once);
    CHECK(known.get() == code);
    writing.get();
    CHECK(map.knows("i1"));
}

TEST_CASE_METHOD(Fixture, "what was remembered is recalled, over bases and in any order")
{
    auto map = open();
    map.patient({"A", "1"}, {});
    map.remember(
        {originals("i1", {{name, "Doe"}, {id, "1"}, {uid, "first"}}),
         originals("i2", {{name, "Doe"}, {id, "1"}, {uid, "second"}}),
         originals("i3", {{name, "Doe"}, {uid, "third"}})});
    const auto second = open().recall("i2", restore_key);
    REQUIRE(second);
    CHECK(second->elements == std::map<Tag, std::string>{{name, "Doe"}, {id, "1"}, {uid, "second"}});
    CHECK(second->added == std::vector{Tag{0x0012, 0x0062}});
    CHECK(second->transfer_syntax == "1.2.840.10008.1.2.1");
    CHECK(
        open().recall("i3", restore_key)->elements ==
        std::map<Tag, std::string>{{name, "Doe"}, {uid, "third"}});
    CHECK_FALSE(map.recall("i4", restore_key));
}

TEST_CASE_METHOD(Fixture, "the same again is stored once, another content as a newer row")
{
    auto map = open();
    map.patient({"A", "1"}, {});
    const auto size = [&] { return std::filesystem::file_size(path); };
    map.remember({originals("i1", {{name, std::string(200'000, 'x')}})});
    {
        const auto settled = open();
    }
    const auto before = size();
    for (int i = 0; i < 20; ++i) {
        open().remember({originals("i1", {{name, std::string(200'000, 'x')}})});
    }
    CHECK(size() == before);
    map.remember({originals("i1", {{name, "new"}})});
    CHECK(map.recall("i1", restore_key)->elements.at(name) == "new");
}

TEST_CASE_METHOD(Fixture, "no original value stands in the map's files")
{
    {
        auto map = open();
        map.patient({"MERCY", "MRN-4711"}, {.particulars = R"({"PatientName":"Doe^Jane"})"});
        map.remember({originals("i1", {{name, "Doe^Jane"}, {id, "MRN-4711"}})});
        for (const auto& entry : std::filesystem::directory_iterator{scratch.path()}) {
            const auto bytes = read_text_file(entry.path());
            CAPTURE(entry.path());
            for (const auto* const word : {"Doe", "Jane", "MRN", "4711", "MERCY"}) {
                CHECK(bytes.find(word) == std::string::npos);
            }
        }
    }
}

TEST_CASE_METHOD(Fixture, "a foreign restore key opens nothing")
{
    auto map = open();
    map.patient({"A", "1"}, {});
    map.remember({originals("i1", {{name, "Doe"}})});
    CHECK_THROWS_WITH(map.recall("i1", RestoreKey::generate()), Catch::Contains("does not fit"));
}

TEST_CASE_METHOD(Fixture, "a map of another key, no map, and a damaged map are told apart")
{
    CHECK_THROWS_WITH(Map::open(path, Key::generate()), Catch::Contains("made for key " + key.id()));
    CHECK_THROWS_WITH(Map::open(scratch / "missing.db", key), Catch::Contains("No such file"));
    std::ofstream{scratch / "text.db"} << std::string(5000, 'x');
    CHECK_THROWS_WITH(Map::open(scratch / "text.db", key), Catch::Contains("damaged"));
    std::filesystem::resize_file(path, 3000);
    CHECK_THROWS_WITH(Map::open(path, key), Catch::Contains("damaged"));
}

TEST_CASE_METHOD(Fixture, "a map is never made over another, and is for its owner alone")
{
    auto map = open();
    map.patient({"A", "1"}, {});
    CHECK_THROWS_AS(Map::create(path, Key::generate(), restore_key), Error);
    CHECK(open().find({"A", "1"}));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE_METHOD(Fixture, "processes that ask at the same time get codes without gap or double")
{
    constexpr int processes = 4;
    constexpr int patients = 50;
    std::vector<pid_t> children;
    for (int p = 0; p < processes; ++p) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto map = open();
            for (int i = 0; i < patients; ++i) {
                // Half of them are everybody's patients.
                map.patient({"", i % 2 == 0 ? std::to_string(i) : std::to_string(p * 1000 + i)}, {});
            }
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(status == 0);
    }
    auto map = open();
    const int total = patients / 2 + processes * patients / 2;
    CHECK(map.patient({"", "next"}, {}).number == total + 1);
}
