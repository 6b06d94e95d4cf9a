#include "archive/directory_builder.hpp"
#include "archive/directory_record.hpp"
#include "archive/media_plan.hpp"
#include "archive/media_shelf.hpp"
#include "archive/part10.hpp"

#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <fstream>
#include <tuple>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using archive::MediaItem;

namespace {

const dicom::ElementIndex nothing;
const archive::RecordType* const image = archive::record_type_of("1.2.840.10008.5.1.4.1.1.481.25", nothing);
const archive::RecordType* const palette = archive::record_type_of("1.2.840.10008.5.1.4.39.1", nothing);

MediaItem item(const char* patient, const char* study, const char* series, long number, const char* uid)
{
    MediaItem made;
    made.source = uid;
    made.type = image;
    made.patient = patient;
    made.study_uid = study;
    made.series_uid = series;
    made.instance_uid = uid;
    made.number = number;
    return made;
}

MediaItem colours(const char* uid)
{
    MediaItem made;
    made.type = palette;
    made.instance_uid = uid;
    return made;
}

std::vector<MediaItem> items()
{
    return {item("b", "1", "1", 1, "7"), item("a", "2", "1", 2, "5"), item("a", "1", "1", 10, "3"),
            item("a", "1", "1", 9, "4"), item("a", "1", "2", 1, "6"), item("a", "2", "1", 2, "1")};
}

std::string element(dicom::Tag tag, dicom::Vr vr, std::string_view value, dicom::Encoding encoding)
{
    return dicom::encode_element(tag, vr, value, encoding);
}

std::string data_set(dicom::Encoding encoding)
{
    return element(dicom::tags::SOPClassUID, dicom::vr::UI, "1.2.840.10008.5.1.4.1.1.7", encoding) +
           element(dicom::tags::SOPInstanceUID, dicom::vr::UI, "1.2.3", encoding) +
           element(dicom::tags::Modality, dicom::vr::CS, "OT", encoding);
}

std::string file_meta(std::string_view instance_uid, std::string_view syntax)
{
    return dicom::encode_file_meta(
        {.sop_class_uid = "1.2.840.10008.5.1.4.1.1.7",
         .instance_uid = std::string{instance_uid},
         .transfer_syntax = std::string{syntax},
         .source_aet = "THERE",
         .sending_aet = {},
         .receiving_aet = {}});
}

/// As the media gets it, and read again.
struct Made {
    std::string bytes;
    dicom::Instance instance;

    explicit Made(const std::string& source)
        : bytes(archive::part10_of(dicom::Instance::from_bytes(source, "source")).str()),
          instance(dicom::Instance::from_bytes(bytes, "made"))
    {
    }
};

} // namespace

TEST_CASE("File IDs follow patient, study, series, number and UID, and start anew at each level")
{
    archive::MediaShelf shelf;
    shelf.add(colours("8"), {});
    for (const auto& one : items()) {
        shelf.add(one, {});
    }
    shelf.sort();
    archive::FileIds file_ids;
    std::vector<std::string> named;
    for (std::size_t i = 0; i < shelf.size(); ++i) {
        named.push_back(shelf.item(i).instance_uid + " " + file_ids.next(shelf.item(i)));
    }
    CHECK(
        named == std::vector<std::string>{
                     "4 PT000000/ST000000/SE000000/IM000000", "3 PT000000/ST000000/SE000000/IM000001",
                     "6 PT000000/ST000000/SE000001/IM000000", "1 PT000000/ST000001/SE000000/IM000000",
                     "5 PT000000/ST000001/SE000000/IM000001", "7 PT000001/ST000000/SE000000/IM000000",
                     "8 NP000000/PL000000"});
}

TEST_CASE("an item comes from the shelf as it was put there")
{
    archive::MediaShelf shelf;
    for (const char* source : {"/a/b/c.dcm", "c.dcm", "./c", "/c"}) {
        auto put = item("a", "2", "3", 4, source);
        put.source = source;
        put.sop_class_uid = "1.2";
        put.transfer_syntax = "1.3";
        put.is_part10 = true;
        put.state = {1, 2, 3, 4};
        const auto number = shelf.size();
        shelf.add(put, "keys");
        shelf.set_file_id(number, "X/Y");
        const auto got = shelf.item(number);
        CHECK(got.source == put.source);
        CHECK(
            std::tie(got.type, got.patient, got.study_uid, got.series_uid, got.instance_uid, got.number) ==
            std::tie(put.type, put.patient, put.study_uid, put.series_uid, put.instance_uid, put.number));
        CHECK(
            std::tie(got.sop_class_uid, got.transfer_syntax, got.is_part10) ==
            std::tie(put.sop_class_uid, put.transfer_syntax, put.is_part10));
        CHECK(got.state == put.state);
        CHECK(got.file_id == "X/Y");
        CHECK(got.keys == "keys");
        CHECK(shelf.find(source) == number);
    }
    CHECK_FALSE(shelf.find("d.dcm"));
    shelf.add(colours("8"), {});
    CHECK_FALSE(shelf.item(shelf.size() - 1).keys);
}

namespace {

/// A directory as DirectoryBuilder makes it, of one image.
archive::Directory directory_with(const std::string& file_id)
{
    archive::Directory directory;
    const auto text = [&](dicom::Tag tag, dicom::Vr vr, std::string_view value) {
        return directory.keep(dicom::encode_element(tag, vr, value, dicom::ExplicitLittleEndian));
    };
    auto& patient = directory.roots.emplace_back(
        archive::DirectoryRecord{"PATIENT", {}, text(dicom::tags::PatientID, dicom::vr::LO, "a")});
    auto& study = patient.below.emplace_back(
        archive::DirectoryRecord{"STUDY", {}, text(dicom::tags::StudyInstanceUID, dicom::vr::UI, "1")});
    auto& series = study.below.emplace_back(
        archive::DirectoryRecord{"SERIES", {}, text(dicom::tags::SeriesInstanceUID, dicom::vr::UI, "1")});
    series.below.push_back(
        {"IMAGE",
         directory.keep(archive::record_reference(file_id, "1.2", "1.2.3", "1.2.840.10008.1.2.1")),
         {}});
    return directory;
}

} // namespace

TEST_CASE("new files stand beside those of their series, study or patient, under names that are free")
{
    archive::FileIds file_ids{directory_with("PT000003/ST000000/SE000002/IM000041")};
    CHECK(file_ids.next(item("a", "1", "1", 1, "7")) == "PT000003/ST000000/SE000002/IM000042");
    CHECK(file_ids.next(item("a", "1", "9", 1, "8")) == "PT000003/ST000000/SE000003/IM000000");
    CHECK(file_ids.next(item("a", "2", "3", 1, "9")) == "PT000003/ST000001/SE000000/IM000000");
    CHECK(file_ids.next(item("b", "4", "4", 1, "10")) == "PT000004/ST000000/SE000000/IM000000");
}

TEST_CASE("media that others named gets folders of its own")
{
    archive::FileIds file_ids{directory_with("IMAGES/A1")};
    CHECK(file_ids.next(item("a", "1", "1", 1, "7")) == "PT000000/ST000000/SE000000/IM000000");
}

TEST_CASE("a directory is read as it was written, and is the same bytes again")
{
    auto directory = directory_with("A/B");
    directory.roots.push_back(directory.roots.front());
    const auto bytes = directory.bytes();
    const test::Scratch scratch;
    const auto file = scratch.path() / "DICOMDIR";
    std::ofstream{file} << bytes;
    const auto read = archive::Directory::read(file);
    CHECK(read.bytes() == bytes);
    const auto counts = archive::count(read);
    CHECK(counts.patients == 2);
    CHECK(counts.studies == 2);
    CHECK(counts.series == 2);
    CHECK(counts.instances == 2);
    CHECK(archive::file_id_of(read.roots.front().below.front().below.front().below.front()) == "A/B");
    CHECK(directory_with("A/C").bytes() != directory_with("A/B").bytes());
}

TEST_CASE("a directory whose offsets go in circles is refused")
{
    auto bytes = directory_with("A/B").bytes();
    // The first record's lower level becomes itself.
    const auto first = bytes.find(std::string{"\xfe\xff\x00\xe0", 4});
    const auto lower = bytes.find(std::string{"\x04\x00\x20\x14UL", 6}, first) + 8;
    bytes.replace(lower, 4, dicom::encode_u32(static_cast<std::uint32_t>(first)));
    const test::Scratch scratch;
    const auto file = scratch.path() / "DICOMDIR";
    std::ofstream{file} << bytes;
    CHECK_THROWS_WITH(archive::Directory::read(file), Catch::Contains("twice"));
}

TEST_CASE("a whole file goes as it is")
{
    const auto source = file_meta("1.2.3", dicom::transfer_syntax::ExplicitVRLittleEndian) +
                        data_set(dicom::ExplicitLittleEndian);
    CHECK(Made{source}.bytes == source);
}

TEST_CASE("a bare data set gets file meta information that says how it is written")
{
    for (const auto encoding :
         {dicom::ImplicitLittleEndian, dicom::ExplicitLittleEndian, dicom::ExplicitBigEndian}) {
        const auto source = data_set(encoding);
        const Made made{source};
        CHECK(made.bytes.ends_with(source));
        CHECK(dicom::has_prefix(made.bytes));
        CHECK(dicom::transfer_syntax::encoding_of(made.instance.transfer_syntax()) == encoding);
        CHECK(made.instance.meta().text(dicom::tags::MediaStorageSOPInstanceUID) == "1.2.3");
        CHECK(made.instance.data_set().text(dicom::tags::Modality) == "OT");
    }
}

TEST_CASE("file meta information that contradicts the data set is made anew")
{
    const auto bare = data_set(dicom::ImplicitLittleEndian);
    const auto wrong_uid = file_meta("9.9.9", dicom::transfer_syntax::ImplicitVRLittleEndian) + bare;
    const auto wrong_syntax = file_meta("1.2.3", dicom::transfer_syntax::ExplicitVRLittleEndian) + bare;
    const auto no_syntax = file_meta("1.2.3", "") + bare;
    for (const auto& source : {wrong_uid, wrong_syntax, no_syntax}) {
        const Made made{source};
        CHECK(made.bytes.ends_with(bare));
        CHECK(made.instance.meta().text(dicom::tags::MediaStorageSOPInstanceUID) == "1.2.3");
        CHECK(made.instance.transfer_syntax() == dicom::transfer_syntax::ImplicitVRLittleEndian);
        CHECK(made.instance.meta().text(dicom::tags::SourceApplicationEntityTitle) == "THERE");
    }
}

TEST_CASE("a preamble is made where only that is missing")
{
    const auto whole = file_meta("1.2.3", dicom::transfer_syntax::ExplicitVRLittleEndian) +
                       data_set(dicom::ExplicitLittleEndian);
    CHECK(dicom::has_prefix(Made{whole.substr(dicom::preamble_size + 4)}.bytes));
}
