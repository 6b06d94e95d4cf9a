#include "core/error.hpp"
#include "deid/pixels/codec_host.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

using namespace dcmpipe;
using namespace dcmpipe::deid;

namespace {

/// One row of a byte each, in RLE: a header of 64 bytes, then literal runs.
std::string rle_frame(std::string_view pixels)
{
    std::string frame{"\x01\0\0\0\x40\0\0\0", 8};
    frame.resize(64);
    frame += static_cast<char>(pixels.size() - 1);
    frame += pixels;
    return frame + std::string((1 + pixels.size()) % 2, '\0');
}

PaintJob job(std::string_view syntax = "1.2.840.10008.1.2.5")
{
    PaintJob job;
    job.transfer_syntax = syntax;
    job.format.rows = 1;
    job.format.columns = 8;
    job.format.photometric = "MONOCHROME2";
    job.boxes = {{2, 0, 3, 1}};
    return job;
}

/// The children of a process, by the kernel's own list.
std::vector<pid_t> children_of(pid_t process)
{
    const auto id = std::to_string(process);
    std::ifstream list{"/proc/" + id + "/task/" + id + "/children"};
    std::vector<pid_t> children;
    for (pid_t child = 0; list >> child;) {
        children.push_back(child);
    }
    return children;
}

} // namespace

TEST_CASE("a frame is painted in a process apart")
{
    const CodecHost host;
    CodecProcess process{host, job()};
    const auto frame = rle_frame("abcdefgh");
    const auto painted = process.repaint({frame});
    const auto once_more = process.repaint({painted});
    CHECK(painted == once_more);
    CHECK(painted != frame);
    // In pieces it is the same frame.
    CHECK(
        process.repaint({std::string_view{frame}.substr(0, 30), std::string_view{frame}.substr(30)}) ==
        painted);
}

TEST_CASE("what a codec refuses is a reason, and the next frame is served")
{
    const CodecHost host;
    CodecProcess process{host, job()};
    CHECK_THROWS_AS(process.repaint({"rubbish"}), Error);
    CHECK_NOTHROW(process.repaint({rle_frame("abcdefgh")}));
    CodecProcess other{host, job("1.2.840.10008.1.2.4.90")};
    CHECK_THROWS_AS(other.repaint({"rubbish"}), Error);
}

TEST_CASE("a codec that dies takes one image with it and no more")
{
    const CodecHost host;
    const auto hosts = children_of(::getpid());
    REQUIRE(hosts.size() == 1);
    CodecProcess first{host, job()};
    CHECK_NOTHROW(first.repaint({rle_frame("abcdefgh")}));
    const auto processes = children_of(hosts.front());
    REQUIRE(processes.size() == 1);
    REQUIRE(::kill(processes.front(), SIGSEGV) == 0);
    CHECK_THROWS_WITH(first.repaint({rle_frame("abcdefgh")}), Catch::Contains("gave up"));
    CodecProcess second{host, job()};
    CHECK_NOTHROW(second.repaint({rle_frame("abcdefgh")}));
}

TEST_CASE("a hunger for memory ends the codec's process, not ours")
{
    const CodecHost host;
    auto large = job("1.2.840.10008.1.2.4.80");
    large.format.rows = 65535;
    large.format.columns = 65535;
    large.format.samples = 3;
    large.format.photometric = "RGB";
    CodecProcess process{host, large};
    CHECK_THROWS_AS(process.repaint({"\xff\xd8\xff\xf7"}), Error);
}

TEST_CASE("no process stays behind")
{
    pid_t host_process = 0;
    {
        const CodecHost host;
        host_process = children_of(::getpid()).front();
    }
    CHECK(children_of(::getpid()).empty());
    CHECK_FALSE(std::filesystem::exists("/proc/" + std::to_string(host_process)));
}
