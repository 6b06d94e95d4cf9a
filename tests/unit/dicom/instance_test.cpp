#include "dicom/instance.hpp"

#include "core/error.hpp"
#include "dicom/inflate.hpp"
#include "dicom/tags.hpp"
#include "support/raw_elements.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace dcmpipe;
using namespace dcmpipe::dicom;
using Catch::Matchers::Contains;

namespace {

constexpr raw::Form implicit_vr{.explicit_vr = false};
constexpr raw::Form big_endian{.big_endian = true};

/// What a data set needs to be found: all four UIDs.
std::string data_set(const raw::Form& form = {})
{
    return raw::start(form) + raw::text(0x0020000d, "UI", "1.2.3.1", form) +
           raw::text(0x0020000e, "UI", "1.2.3.2", form);
}

Instance read(std::string_view bytes)
{
    return Instance::from_bytes(bytes, "x.dcm");
}

void write(const std::filesystem::path& path, std::string_view bytes)
{
    std::ofstream{path, std::ios::binary}.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

TEST_CASE("a file tells its transfer syntax and its UIDs")
{
    const auto bytes = raw::meta("1.2.840.10008.1.2.1") + data_set();
    const auto instance = read(bytes);
    CHECK(instance.transfer_syntax() == "1.2.840.10008.1.2.1");
    CHECK(instance.sop_class_uid() == "1.2.840.10008.5.1.4.1.1.7");
    CHECK(instance.instance_uid() == "2.25.4711");
    CHECK(instance.study_uid() == "1.2.3.1");
    CHECK(instance.series_uid() == "1.2.3.2");
    CHECK(instance.meta().text(tags::TransferSyntaxUID) == "1.2.840.10008.1.2.1");
    CHECK(instance.bytes().substr(instance.data_set_offset()) == data_set());
    CHECK_FALSE(instance.is_deflated());
    CHECK(instance.file() == nullptr);
}

TEST_CASE("every encoding is read as its syntax says")
{
    const std::pair<const char*, raw::Form> syntaxes[] = {
        {"1.2.840.10008.1.2", implicit_vr},  {"1.2.840.10008.1.2.1", {}},
        {"1.2.840.10008.1.2.2", big_endian}, {"1.2.840.10008.1.2.4.70", {}},
        {"1.2.840.113619.5.2", implicit_vr}, {"1.2.3.4.5.6.7", {}}};
    for (const auto& [syntax, form] : syntaxes) {
        CAPTURE(syntax);
        const auto bytes = raw::meta(syntax) + data_set(form);
        CHECK(read(bytes).study_uid() == "1.2.3.1");
        CHECK(read(bytes).transfer_syntax() == syntax);
    }
}

TEST_CASE("a deflated data set is inflated")
{
    const auto bytes = raw::meta("1.2.840.10008.1.2.1.99") + deflate(data_set());
    const auto instance = read(bytes);
    CHECK(instance.is_deflated());
    CHECK(instance.study_uid() == "1.2.3.1");
    CHECK(instance.data_set().bytes() == data_set());
    CHECK_THROWS_WITH(Instance::from_bytes(bytes, "x.dcm", {.inflated = 10}), Contains("more than 10 bytes"));
}

TEST_CASE("files without preamble, without meta information or without either are read")
{
    for (const raw::Form& form : {raw::Form{}, implicit_vr, big_endian}) {
        CAPTURE(form.explicit_vr, form.big_endian);
        const auto bytes = data_set(form);
        CHECK(read(bytes).study_uid() == "1.2.3.1");
    }
    CHECK(read(data_set(implicit_vr)).transfer_syntax() == "1.2.840.10008.1.2");
    const auto no_preamble = raw::meta("1.2.840.10008.1.2").substr(132) + data_set(implicit_vr);
    CHECK(read(no_preamble).study_uid() == "1.2.3.1");
    CHECK(read(no_preamble).transfer_syntax() == "1.2.840.10008.1.2");
    const auto no_meta = std::string(128, '\0') + "DICM" + data_set();
    CHECK(read(no_meta).study_uid() == "1.2.3.1");
}

TEST_CASE("`DICM` by chance in a bare data set is no prefix")
{
    auto bytes = data_set() + raw::text(0x00321030, "LO", std::string(100, 'x'));
    bytes.replace(128, 4, "DICM");
    CHECK(read(bytes).study_uid() == "1.2.3.1");
}

TEST_CASE("what is written in another VR than its syntax says is read as written")
{
    CHECK(read(raw::meta("1.2.840.10008.1.2") + data_set()).study_uid() == "1.2.3.1");
    CHECK(read(raw::meta("1.2.840.10008.1.2.1") + data_set(implicit_vr)).study_uid() == "1.2.3.1");
}

TEST_CASE("UIDs that the data set lacks come from the meta information")
{
    const auto bytes = raw::meta("1.2.840.10008.1.2.1") + raw::text(0x00100010, "PN", "A^B");
    CHECK(read(bytes).sop_class_uid() == "1.2.840.10008.5.1.4.1.1.7");
    CHECK(read(bytes).instance_uid() == "2.25.4711");
    CHECK(read(bytes).study_uid().empty());
}

TEST_CASE("what is no DICOM, cut short or empty is refused with the name of the file")
{
    const auto refused = [](const std::string& bytes, const std::string& reason) {
        CAPTURE(reason);
        CHECK_THROWS_WITH(read(bytes), Contains("cannot read 'x.dcm'") && Contains(reason));
    };
    refused("", "not a DICOM file");
    refused("DICM", "not a DICOM file");
    refused(raw::repeat("some letter\n", 40), "not a DICOM file");
    refused(std::string(4096, '\0'), "not a DICOM file");
    const auto meta = raw::meta("1.2.840.10008.1.2.1");
    refused(meta, "no data set");
    refused(std::string(128, '\0') + "DICM", "no data set");
    refused(raw::meta("1.2.840.10008.1.2.1.99"), "damaged or cut short");
    refused(raw::meta("1.2.840.10008.1.2.1.99") + deflate(""), "no data set");
    refused(meta.substr(0, meta.size() - 4), "cut short");
    refused(meta + data_set().substr(0, 60), "at byte");
}

TEST_CASE("a group length that lies does not move the data set")
{
    auto bytes = raw::meta("1.2.840.10008.1.2.1") + data_set();
    bytes[140] = '\x01';
    CHECK(read(bytes).study_uid() == "1.2.3.1");
}

TEST_CASE("opening a file keeps its bytes; the head alone does not need the rest")
{
    const test::Scratch scratch;
    const auto path = scratch / "a.dcm";
    const auto cut = raw::meta("1.2.840.10008.1.2.1") + data_set() + raw::header(0x7fe00010, "OW", 1 << 20);
    write(path, cut);
    CHECK_THROWS_AS(Instance::open(path), Error);
    const auto head = Instance::open_head(path, tags::SeriesInstanceUID);
    CHECK(head.series_uid() == "1.2.3.2");
    REQUIRE(head.file() != nullptr);
    CHECK(head.file()->view() == cut);
    CHECK_THROWS_WITH(Instance::open(scratch / "none.dcm"), Contains("No such file"));
    CHECK_THROWS_WITH(Instance::open(scratch.path()), Contains("not a regular file"));
}

TEST_CASE("the first bytes tell the head only where they reach past it")
{
    const auto pixels = raw::header(0x7fe00010, "OW", 1 << 20);
    for (const auto& [syntax, form] :
         {std::pair{"1.2.840.10008.1.2.1", raw::Form{}}, std::pair{"1.2.840.10008.1.2", implicit_vr},
          std::pair{"1.2.840.10008.1.2.2", big_endian}}) {
        const auto head = raw::meta(syntax) + data_set(form);
        const auto next = raw::text(0x00204000, "LT", "later", form);
        for (std::size_t more = 4; more <= next.size(); ++more) {
            const auto bytes = head + next.substr(0, more);
            const auto read = Instance::from_first_bytes(bytes, tags::SeriesInstanceUID);
            // What tells a header from the end of the data set is eight bytes long.
            REQUIRE(read.has_value() == (more >= 8));
            if (read) {
                CHECK(read->study_uid() == "1.2.3.1");
                CHECK(read->series_uid() == "1.2.3.2");
            }
        }
        for (std::size_t cut = 0; cut <= head.size(); ++cut) {
            CAPTURE(syntax, cut);
            CHECK_FALSE(Instance::from_first_bytes(head.substr(0, cut), tags::SeriesInstanceUID));
            // Zeros may pad a file. They may as well be what comes of a file that is being written.
            CHECK_FALSE(Instance::from_first_bytes(
                head.substr(0, cut) + std::string(8, '\0'), tags::SeriesInstanceUID));
        }
    }
    const auto deflated = raw::meta("1.2.840.10008.1.2.1.99") + deflate(data_set() + pixels);
    CHECK_FALSE(Instance::from_first_bytes(deflated.substr(0, deflated.size() / 2), tags::SeriesInstanceUID));
}

TEST_CASE("an instance can be moved; its views stay valid")
{
    const test::Scratch scratch;
    write(scratch / "a.dcm", raw::meta("1.2.840.10008.1.2.1.99") + deflate(data_set()));
    auto first = Instance::open(scratch / "a.dcm");
    const auto second = std::move(first);
    CHECK(second.study_uid() == "1.2.3.1");
    CHECK(second.data_set().bytes() == data_set());
}
