#include "watch/watcher.hpp"

#include "core/output_file.hpp"
#include "dicom/study_folder.hpp"
#include "support/scratch.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using namespace dcmpipe::watch;
namespace fs = std::filesystem;

namespace {

/// A tree with one study and clocks that the test sets. A study's files bear the real time: the time of day
/// here starts far behind it, as if the clock had been set back, unless a test moves it on.
struct Fixture {
    test::Scratch scratch;
    fs::path tree = scratch / "tree";
    fs::path study = tree / "p" / "s";
    Now now{1000, 0, "this boot"};
    WatchSettings settings{{tree}, 60, std::nullopt, false};

    Fixture()
    {
        dicom::mark_study_folder(study, "1.2");
        add("1.dcm");
    }

    void add(const std::string& name) { write_text_file(study / name, name); }

    Now after(double seconds)
    {
        now.boot += seconds;
        now.wall += seconds;
        return now;
    }

    /// The paths that one look finds complete.
    static std::vector<fs::path> complete(Watcher& watcher, const Now& now)
    {
        std::vector<fs::path> paths;
        for (const auto& place : watcher.look(now).complete) {
            paths.push_back(place.path());
        }
        return paths;
    }

    std::uint64_t do_one(Watcher& watcher)
    {
        auto claim = watcher.claim({tree, "p/s"});
        REQUIRE(claim);
        const auto revision = claim->revision();
        watcher.done(std::move(*claim));
        return revision;
    }
};

using Paths = std::vector<fs::path>;

} // namespace

TEST_CASE_METHOD(Fixture, "a study is complete when it was quiet for the timeout since we saw it")
{
    Watcher watcher{settings};
    CHECK(complete(watcher, now).empty());
    CHECK(complete(watcher, after(59)).empty());
    CHECK(complete(watcher, after(1)) == Paths{study});
    CHECK(do_one(watcher) == 1);
    CHECK(complete(watcher, after(1000)).empty());
}

TEST_CASE_METHOD(Fixture, "whatever changes in it starts the wait again")
{
    Watcher watcher{settings};
    complete(watcher, now);
    for (const auto* const name : {"2.dcm", "1.dcm", ".hidden.part", "sub/3.dcm", "sub/.hidden"}) {
        CAPTURE(name);
        after(59);
        add(name);
        CHECK(complete(watcher, now).empty());
        CHECK(complete(watcher, after(59)).empty());
    }
    fs::remove(study / "2.dcm");
    CHECK(complete(watcher, after(59)).empty());
    CHECK(complete(watcher, after(60)) == Paths{study});
}

TEST_CASE_METHOD(Fixture, "steps of the time of day fire nothing early and hold nothing back")
{
    Watcher watcher{settings};
    complete(watcher, now);
    now.wall += 1e10;
    CHECK(complete(watcher, after(30)).empty());
    now.wall -= 2e10;
    CHECK(complete(watcher, after(29)).empty());
    CHECK(complete(watcher, after(1)) == Paths{study});
}

TEST_CASE_METHOD(Fixture, "a single look knows by the age of the last change, if that is not in the future")
{
    settings.once = true;
    const auto newest = look_at(study)->newest;
    now.wall = newest + 60.001;
    Watcher old_enough{settings};
    CHECK(complete(old_enough, now) == Paths{study});
    now.wall = newest + 59;
    Watcher too_young{settings};
    CHECK(complete(too_young, now).empty());
}

TEST_CASE_METHOD(
    Fixture, "a study past its age is left alone; where it was begun it is given up, and told once")
{
    settings.max_age = 1000;
    const auto newest = look_at(study)->newest;
    now.wall = newest + 100;
    {
        Watcher watcher{settings};
        complete(watcher, now);
        CHECK(complete(watcher, after(60)) == Paths{study});
        now.wall = newest + 1001;
        const auto look = watcher.look(after(60));
        CHECK(look.complete.empty());
        CHECK(look.given_up.empty()); // nobody began it
        now.wall = newest + 100;
        complete(watcher, now);
        CHECK(watcher.claim({tree, "p/s"}));
    }
    now.wall = newest + 1001;
    Watcher restarted{settings};
    restarted.look(now);
    CHECK(restarted.look(after(60)).given_up.size() == 1);
    CHECK(restarted.look(after(60)).given_up.empty());
    add("late.dcm");
    now.wall = look_at(study)->newest + 100;
    complete(restarted, now);
    CHECK(complete(restarted, after(60)) == Paths{study});
}

TEST_CASE_METHOD(Fixture, "where the age says nothing, single looks remember what they saw")
{
    settings.once = true;
    const auto one_look = [&](const Now& at) {
        Watcher watcher{settings};
        return complete(watcher, at);
    };
    CHECK(one_look(now).empty());
    CHECK(one_look(after(30)).empty());
    CHECK(one_look(after(31)) == Paths{study});
    now.boot_id = "the next boot";
    CHECK(one_look(after(1)).empty());
    CHECK(one_look(after(60)) == Paths{study});
}

TEST_CASE_METHOD(Fixture, "late instances open a new revision; a restart neither forgets nor repeats")
{
    {
        Watcher watcher{settings};
        complete(watcher, now);
        complete(watcher, after(60));
        CHECK(do_one(watcher) == 1);
    }
    Watcher restarted{settings};
    CHECK(complete(restarted, after(60)).empty());
    CHECK(complete(restarted, after(60)).empty());
    add("late.dcm");
    CHECK(complete(restarted, after(1)).empty());
    CHECK(complete(restarted, after(60)) == Paths{study});
    CHECK(do_one(restarted) == 2);
    CHECK(complete(restarted, after(60)).empty());
}

TEST_CASE_METHOD(Fixture, "what comes while a study is in work is not lost")
{
    Watcher watcher{settings};
    complete(watcher, now);
    complete(watcher, after(60));
    auto claim = watcher.claim({tree, "p/s"});
    REQUIRE(claim);
    add("late.dcm");
    watcher.done(std::move(*claim));
    complete(watcher, after(1));
    CHECK(complete(watcher, after(60)) == Paths{study});
}

TEST_CASE_METHOD(Fixture, "two watchers never have a study together, and the second finds it done")
{
    Watcher first{settings};
    Watcher second{settings};
    for (Watcher* const watcher : {&first, &second}) {
        complete(*watcher, now);
    }
    after(60);
    CHECK(complete(first, now) == Paths{study});
    CHECK(complete(second, now) == Paths{study});
    auto claim = first.claim({tree, "p/s"});
    REQUIRE(claim);
    CHECK_FALSE(second.claim({tree, "p/s"}));
    first.done(std::move(*claim));
    CHECK_FALSE(second.claim({tree, "p/s"}));
    CHECK(complete(second, now).empty());
}

TEST_CASE_METHOD(Fixture, "a study that another process holds, shared or not, waits")
{
    Watcher watcher{settings};
    complete(watcher, now);
    complete(watcher, after(60));
    {
        const Fd held{::open(study.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        REQUIRE(::flock(held.get(), LOCK_SH) == 0);
        CHECK_FALSE(watcher.claim({tree, "p/s"}));
    }
    CHECK(watcher.claim({tree, "p/s"}));
}

TEST_CASE_METHOD(Fixture, "a study that changed since the look is not claimed")
{
    Watcher watcher{settings};
    complete(watcher, now);
    complete(watcher, after(60));
    add("late.dcm");
    CHECK_FALSE(watcher.claim({tree, "p/s"}));
}

TEST_CASE_METHOD(Fixture, "a failure is tried again ever later, and at once where the study changes")
{
    Watcher watcher{settings};
    complete(watcher, now);
    after(60);
    for (const double wait : {60.0, 120.0, 240.0}) {
        CAPTURE(wait);
        REQUIRE(complete(watcher, now) == Paths{study});
        watcher.failed({tree, "p/s"}, now);
        CHECK(complete(watcher, after(wait - 1)).empty());
        after(1);
    }
    REQUIRE(complete(watcher, now) == Paths{study});
    watcher.failed({tree, "p/s"}, now);
    add("late.dcm");
    complete(watcher, after(1));
    CHECK(complete(watcher, after(60)) == Paths{study});
}

TEST_CASE_METHOD(Fixture, "a folder without a file that can be seen is no study yet")
{
    fs::remove(study / "1.dcm");
    add(".1.dcm.part");
    Watcher watcher{settings};
    complete(watcher, now);
    CHECK(complete(watcher, after(1000)).empty());
}

TEST_CASE_METHOD(Fixture, "studies by depth need no marker; links and hidden folders are not entered")
{
    settings.depth = 2;
    write_text_file(tree / "q" / "t" / "deep" / "1.dcm", "x");
    write_text_file(tree / "q" / ".hidden" / "1.dcm", "x");
    fs::create_directory_symlink("t", tree / "q" / "link");
    fs::create_directory_symlink("..", tree / "q" / "t" / "loop");
    Watcher watcher{settings};
    complete(watcher, now);
    CHECK(complete(watcher, after(60)) == Paths{study, tree / "q" / "t"});
}

TEST_CASE_METHOD(Fixture, "a state that cannot be read is trouble for its study alone")
{
    dicom::mark_study_folder(tree / "good", "1.3");
    write_text_file(tree / "good" / "1.dcm", "x");
    write_text_file(state_file(tree, "p/s"), "{");
    Watcher watcher{settings};
    CHECK(watcher.look(now).trouble.size() == 1);
    const auto look = watcher.look(after(60));
    REQUIRE(look.trouble.size() == 1);
    CHECK(look.trouble[0].first == study);
    REQUIRE(look.complete.size() == 1);
    CHECK(look.complete[0].study == "good");
}

TEST_CASE_METHOD(Fixture, "a study that goes away while it is watched, and comes back, is no new one")
{
    Watcher watcher{settings};
    complete(watcher, now);
    complete(watcher, after(60));
    do_one(watcher);
    fs::rename(tree / "p", scratch / "away");
    CHECK(complete(watcher, after(60)).empty());
    fs::rename(scratch / "away", tree / "p");
    complete(watcher, after(60));
    CHECK(complete(watcher, after(60)).empty());
}

TEST_CASE("no two studies share a state file, and none is hidden or elsewhere")
{
    const std::string long_name(150, 'x');
    const std::vector<fs::path> studies{
        "",
        "a/b",
        "a+b",
        "a%2Bb",
        "a%b",
        ".a",
        "%2Ea",
        "a\nb",
        long_name + "/1",
        long_name + "/" + long_name + "/1",
        long_name + "/" + long_name + "/2"};
    std::vector<fs::path> files;
    for (const auto& study : studies) {
        const auto file = state_file("/tree", study);
        CAPTURE(file.string());
        CHECK(file.parent_path() == "/tree/.dpipe-watch");
        CHECK(file.filename().string().front() != '.');
        CHECK(file.filename().string().size() < 255);
        CHECK(std::find(files.begin(), files.end(), file) == files.end());
        files.push_back(file);
    }
}
