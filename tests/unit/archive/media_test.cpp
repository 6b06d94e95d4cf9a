#include "archive/media_plan.hpp"
#include "archive/part10.hpp"

#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace dcmpipe;
using archive::MediaItem;

namespace {

MediaItem item(const char* patient, const char* study, const char* series, long number, const char* uid)
{
    MediaItem made;
    made.source = uid;
    made.patient = patient;
    made.study_uid = study;
    made.series_uid = series;
    made.instance_uid = uid;
    made.number = number;
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
    auto all = items();
    archive::assign_file_ids(all);
    std::vector<std::string> named;
    for (const auto& one : all) {
        named.push_back(one.instance_uid + " " + one.file_id);
    }
    CHECK(
        named == std::vector<std::string>{
                     "4 PT000000/ST000000/SE000000/IM000000", "3 PT000000/ST000000/SE000000/IM000001",
                     "6 PT000000/ST000000/SE000001/IM000000", "1 PT000000/ST000001/SE000000/IM000000",
                     "5 PT000000/ST000001/SE000000/IM000001", "7 PT000001/ST000000/SE000000/IM000000"});
    const auto counts = archive::count(all);
    CHECK(counts.patients == 2);
    CHECK(counts.studies == 3);
    CHECK(counts.series == 4);
    CHECK(counts.instances == 6);
}

TEST_CASE("the order in which they come changes neither names nor the directory's UID")
{
    auto all = items();
    archive::assign_file_ids(all);
    const auto uid = archive::directory_uid(all);
    CHECK(dicom::uid::is_valid(uid));
    auto shuffled = items();
    std::reverse(shuffled.begin(), shuffled.end());
    archive::assign_file_ids(shuffled);
    CHECK(archive::directory_uid(shuffled) == uid);
    shuffled.front().header = "another";
    CHECK(archive::directory_uid(shuffled) != uid);
    shuffled.pop_back();
    CHECK(archive::directory_uid(shuffled) != uid);
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
