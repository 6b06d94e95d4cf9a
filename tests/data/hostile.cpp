#include "hostile.hpp"

#include "random.hpp"
#include "support/raw_elements.hpp"

#include <fstream>
#include <map>
#include <stdexcept>

#include <fmt/format.h>
#include <zlib.h>

namespace studies {

namespace fs = std::filesystem;
using namespace raw;

namespace {

constexpr std::string_view implicit = "1.2.840.10008.1.2";
constexpr std::string_view deflated = "1.2.840.10008.1.2.1.99";

/// File names and bytes.
class Corpus {
public:
    explicit Corpus(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }

    void add(const std::string& name, std::string_view bytes) const
    {
        std::ofstream file{folder_ / (name + ".dcm"), std::ios::binary};
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        file.close();
        if (!file) {
            throw std::runtime_error{"cannot write " + name};
        }
    }

private:
    fs::path folder_;
};

/// Sequences in sequences, `depth` deep, in every form that a reader may recurse on.
void add_nests(const Corpus& corpus, unsigned depth)
{
    const auto name = [&](std::string_view form) { return fmt::format("nest-{}-{}", depth, form); };
    const auto ends = header(item_end, 0) + header(sequence_end, 0);
    const auto undefined_item = header(item, undefined);

    const auto open = header(content_sequence, "SQ", undefined) + undefined_item;
    corpus.add(name("undefined"), file() + repeat(open, depth) + repeat(ends, depth));
    corpus.add(name("unclosed"), file() + repeat(open, depth));

    std::string defined = file();
    std::string explicit_un = file();
    for (unsigned level = depth; level-- > 0;) {
        const auto inside = level * 20;
        defined += header(content_sequence, "SQ", inside + 8) + header(item, inside);
        explicit_un += header(0x00291010, "UN", inside + 8) + header(item, inside);
    }
    corpus.add(name("defined"), defined);
    corpus.add(name("un-explicit"), explicit_un);

    std::string implicit_un;
    for (unsigned level = depth; level-- > 0;) {
        implicit_un += header(0x00291010, level * 16 + 8) + header(item, level * 16);
    }
    corpus.add(name("implicit-defined"), meta(implicit) + implicit_un);
    corpus.add(
        name("un-defined"), file() +
                                header(0x00291010, "UN", static_cast<std::uint32_t>(implicit_un.size() + 8)) +
                                header(item, static_cast<std::uint32_t>(implicit_un.size())) + implicit_un);

    const auto open_implicit = header(content_sequence, undefined) + undefined_item;
    corpus.add(
        name("implicit-undefined"), meta(implicit) + repeat(open_implicit, depth) + repeat(ends, depth));
    corpus.add(
        name("un-undefined"), file() + header(0x00291010, "UN", undefined) + undefined_item +
                                  repeat(open_implicit, depth) + repeat(ends, depth + 1));
    corpus.add(
        name("items"), file() + header(content_sequence, "SQ", undefined) + repeat(undefined_item, depth) +
                           repeat(header(item_end, 0), depth) + header(sequence_end, 0));
}

/// Lengths that are not there, small and large.
void add_lengths(const Corpus& corpus)
{
    for (const std::uint32_t length : {0x00000100U, 0x7fffffffU, 0x80000000U, 0xfffffff0U, 0xfffffffeU}) {
        const auto name = [&](std::string_view where) {
            return fmt::format("length-{:08x}-{}", length, where);
        };
        corpus.add(name("bytes"), file() + header(pixel_data, "OB", length) + "data");
        corpus.add(name("sequence"), file() + header(content_sequence, "SQ", length) + header(item, 0));
        corpus.add(name("item"), file() + header(content_sequence, "SQ", undefined) + header(item, length));
        corpus.add(
            name("unknown"), file() + header(0x00291010, "UN", length) + header(item, length) + "data");
        corpus.add(
            name("fragment"),
            file() + header(pixel_data, "OB", undefined) + header(item, 0) + header(item, length) + "data");
        corpus.add(name("meta"), std::string(128, '\0') + "DICM" + header(0x00020001, "OB", length) + "data");
        corpus.add(name("implicit"), meta(implicit) + header(0x00100010, length) + "data");
    }
    corpus.add("length-16-bit", file() + tag(0x00100020) + "LO" + u16(0xffff) + "data");
    corpus.add(
        "item-longer-than-sequence",
        file() + header(content_sequence, "SQ", 16) + header(item, 32) + std::string(64, '\0'));
    corpus.add(
        "text-of-undefined-length", file() + header(0x0040a160, "UT", undefined) + header(sequence_end, 0));
    corpus.add("implicit-text-of-undefined-length", meta(implicit) + header(0x00100010, undefined) + "A^B ");
}

/// Value representations that are none.
void add_vrs(const Corpus& corpus)
{
    const std::map<std::string, std::string> odd{
        {"lower", "lo"},  {"question", "??"},   {"zero", std::string(2, '\0')},
        {"spaces", "  "}, {"high", "\xff\xff"}, {"half", "L "},
        {"digits", "12"}};
    for (const auto& [name, vr] : odd) {
        corpus.add("vr-" + name, file() + tag(0x00100020) + vr + u16(4) + "data" + start());
    }
    corpus.add("vr-unknown-capitals", file() + header(0x00100020, "ZZ", 4) + "data");
    corpus.add(
        "vr-none-in-item",
        file() + header(content_sequence, "SQ", 20) + header(item, 12) + header(0x00100020, 4) + "data");
}

/// Items and delimiters where none belong, and without end.
void add_delimiters(const Corpus& corpus)
{
    const auto sequence = header(content_sequence, "SQ", undefined);
    const auto pixels = header(pixel_data, "OB", undefined);
    corpus.add("delimiters-item", file() + repeat(header(item_end, 0), 10'000));
    corpus.add("delimiters-sequence", file() + repeat(header(sequence_end, 0), 10'000));
    corpus.add("delimiters-in-sequence", file() + sequence + repeat(header(item_end, 0), 10'000));
    corpus.add(
        "delimiters-in-item",
        file() + sequence + header(item, undefined) + repeat(header(sequence_end, 0), 10'000));
    corpus.add("delimiters-in-pixels", file() + pixels + repeat(header(item_end, 0), 10'000));
    corpus.add(
        "delimiter-with-length",
        file() + sequence + header(item, undefined) + header(item_end, 8) + "datadata");
    corpus.add("items-at-top", file() + repeat(header(item, 0), 10'000));
    corpus.add("items-without-end", file() + sequence + repeat(header(item, 0), 100'000));
    corpus.add("fragments-without-end", file() + pixels + repeat(header(item, 0), 100'000));
    corpus.add(
        "fragment-of-undefined-length", file() + pixels + header(item, 0) + header(item, undefined) + "data");
    corpus.add("element-in-pixels", file() + pixels + start() + header(sequence_end, 0));
    corpus.add("element-in-sequence", file() + sequence + start() + header(sequence_end, 0));
    corpus.add("unknown-fffe", file() + header(0xfffee001U, 0));
    corpus.add("empty-elements", meta(implicit) + repeat(header(0x00100020, 0), 200'000));
}

/// A small file of every construct, cut after each of its bytes.
void add_truncated(const Corpus& corpus)
{
    const auto nested = header(content_sequence, "SQ", undefined) + header(item, undefined) +
                        text(0x00100020, "LO", "4711") + header(0x00081115, "SQ", 20) + header(item, 12) +
                        text(0x00100040, "CS", "O ") + "\0\0" + header(item_end, 0) + header(sequence_end, 0);
    const auto pixels = header(pixel_data, "OB", undefined) + header(item, 0) + header(item, 4) + "data" +
                        header(sequence_end, 0);
    const auto unknown = header(0x00291010, "UN", undefined) + header(item, 12) + header(0x00100010, 4) +
                         "A^B " + header(sequence_end, 0);
    const auto head = file();
    const auto whole = head + nested + unknown + pixels;
    for (std::size_t size = 0; size < whole.size(); size += size < head.size() ? 13 : 1) {
        corpus.add(fmt::format("cut-at-{:04}", size), std::string_view{whole}.substr(0, size));
    }
}

/// A raw deflate stream that inflates to `start` and then `megabytes` of zeros.
std::string deflate_zeros(const std::string& start, unsigned megabytes)
{
    const std::string zeros(1U << 20U, '\0');
    z_stream stream{};
    ::deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    const auto add = [&](const std::string& bytes, int flush) {
        std::string room(bytes.size() + 1024, '\0');
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream.avail_in = static_cast<uInt>(bytes.size());
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        ::deflate(&stream, flush);
        return room.substr(0, room.size() - stream.avail_out);
    };
    // After a full flush a block stands for itself and may be repeated.
    auto out = add(start, Z_FULL_FLUSH);
    out += repeat(add(zeros, Z_FULL_FLUSH), megabytes);
    out += add({}, Z_FINISH);
    ::deflateEnd(&stream);
    return out;
}

void add_deflated(const Corpus& corpus)
{
    const auto head = meta(deflated);
    const auto pixels = start() + header(pixel_data, "OW", 256U << 20U);
    corpus.add("deflate-bomb-pixels", head + deflate_zeros(pixels, 256));
    corpus.add("deflate-bomb-padding", head + deflate_zeros(start(), 512));
    const auto good = deflate_zeros(start(), 0);
    corpus.add("deflate-cut", head + good.substr(0, good.size() / 2));
    corpus.add("deflate-garbage", head + repeat("garbage!", 100));
    corpus.add("deflate-nothing", head);
}

/// Files that are not what they say, or nothing at all.
void add_strangers(const Corpus& corpus)
{
    corpus.add("empty", "");
    corpus.add("one-byte", "D");
    corpus.add("text", repeat("This is a letter and no image.\n", 40));
    corpus.add("zeros", std::string(4096, '\0'));
    corpus.add("ones", std::string(4096, '\xff'));
    corpus.add("preamble-alone", std::string(128, '\0') + "DICM");
    corpus.add("prefix-alone", "DICM");
    corpus.add("meta-alone", meta("1.2.840.10008.1.2.1"));
    corpus.add(
        "meta-with-a-lie",
        std::string(128, '\0') + "DICM" + text(0x00020000, "UL", u32(0x7ffffff0)) + start());
    corpus.add("big-endian-in-name-only", meta("1.2.840.10008.1.2.2") + start());
    corpus.add("implicit-in-name-only", meta(implicit) + start());
    corpus.add("syntax-of-another-world", meta("1.2.3.4.5.6.7") + start());
    corpus.add("garbage-after-the-end", file() + header(pixel_data, "OB", 4) + "data" + "garbage");
    Random random{1};
    for (unsigned i = 0; i < 16; ++i) {
        std::string noise;
        while (noise.size() < 2048) {
            noise += u32(static_cast<std::uint32_t>(random.next()));
        }
        corpus.add(fmt::format("noise-{:02}", i), i % 2 == 0 ? noise : file() + noise);
    }
}

} // namespace

void make_hostile(const fs::path& folder)
{
    const Corpus corpus{folder};
    for (const unsigned depth : {65U, 8'000U, 100'000U}) {
        add_nests(corpus, depth);
    }
    add_lengths(corpus);
    add_vrs(corpus);
    add_delimiters(corpus);
    add_truncated(corpus);
    add_deflated(corpus);
    add_strangers(corpus);
}

} // namespace studies
