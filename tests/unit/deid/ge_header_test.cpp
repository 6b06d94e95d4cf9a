#include "deid/ge_header.hpp"

#include "support/raw_elements.hpp"

#include <algorithm>

#include <catch2/catch.hpp>
#include <zlib.h>

using namespace dcmpipe::deid;

namespace {

/// A gzip file of `text`, by zlib.
std::string zipped(std::string text, const char* name = nullptr)
{
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    gz_header header{};
    std::string file_name = name != nullptr ? name : "";
    header.name = name != nullptr ? reinterpret_cast<Bytef*>(file_name.data()) : nullptr;
    deflateSetHeader(&stream, &header);
    std::string file(text.size() + 1000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(file.data());
    stream.avail_out = static_cast<uInt>(file.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    file.resize(stream.total_out);
    deflateEnd(&stream);
    return file;
}

std::string block(const std::string& file)
{
    return raw::u32(static_cast<std::uint32_t>(file.size())) + file;
}

/// By zlib again, which checks the sum.
std::string unzipped(const std::string& block)
{
    std::string file = block.substr(4);
    std::string text(1U << 20U, '\0');
    z_stream stream{};
    REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(file.data());
    stream.avail_in = static_cast<uInt>(file.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    text.resize(stream.total_out);
    inflateEnd(&stream);
    return text;
}

} // namespace

TEST_CASE("lines of slice order and timing stay, in a gzip file without name")
{
    const auto clean = cleaned_ge_protocol(block(zipped(
        "SEDESC \"Doe\"\nSLICEORDER \"1\"\nset VIEWORDER \"0\"\nIOPT \"EPI, FMRI\"\nNOSLC "
        "\"Doe^Jane\"\nNOSLC 15\n",
        "Doe")));
    REQUIRE(clean);
    CHECK(clean->find("Doe") == std::string::npos);
    CHECK(unzipped(*clean) == "SLICEORDER \"1\"\nVIEWORDER \"0\"\nIOPT \"EPI, FMRI\"\n");
}

TEST_CASE("a text longer than a stored block")
{
    std::string text;
    for (int i = 0; i < 9000; ++i) {
        text += "SLICEORDER \"1\"\n";
    }
    const auto clean = cleaned_ge_protocol(block(zipped(text)));
    REQUIRE(clean);
    CHECK(unzipped(*clean) == text);
}

TEST_CASE("a damaged protocol is none")
{
    const auto good = block(zipped("SLICEORDER \"1\"\n", "name"));
    REQUIRE(cleaned_ge_protocol(good));
    for (std::size_t size = 0; size < good.size(); ++size) {
        CHECK_FALSE(cleaned_ge_protocol(good.substr(0, size)));
    }
    CHECK_FALSE(cleaned_ge_protocol(raw::u32(0xffffffffU) + good.substr(4)));
    CHECK_FALSE(cleaned_ge_protocol(block("no gzip file, but long enough to be one")));
    CHECK_FALSE(cleaned_ge_protocol(block(zipped(std::string(2U << 20U, ' ')))));
}

TEST_CASE("of the user data only what tells the phase encoding stays")
{
    std::string data(2000, 'J');
    const auto put = [&](std::size_t at, const std::string& bytes) { data.replace(at, bytes.size(), bytes); };
    put(24, std::string{"\x2c\0", 2});
    put(0x2c, std::string{"\0\0\xd0\x41", 4}); // version 26
    const auto clean = cleaned_ge_user_data(data);
    REQUIRE(clean);
    CHECK(clean->size() == data.size());
    CHECK(clean->substr(24, 2) == data.substr(24, 2));
    CHECK(clean->substr(0x2c + 0x4c + 0x30, 2) == "JJ");
    CHECK(std::count(clean->begin(), clean->end(), 'J') == 6);

    CHECK_FALSE(cleaned_ge_user_data(data.substr(0, 900)));
    put(24, "\xff\xff");
    CHECK_FALSE(cleaned_ge_user_data(data)); // the header would stand behind the end
    put(24, std::string{"\x2c\0", 2});
    put(0x2c, "\xff\xff\xff\xff"); // no version, and no number
    CHECK_FALSE(cleaned_ge_user_data(data));
}
