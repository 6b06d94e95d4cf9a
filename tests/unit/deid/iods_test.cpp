#include "deid/iods.hpp"

#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using deid::Iod;
using deid::TableAction;
namespace tags = dicom::tags;

namespace {

const auto ct = Iod::of_class("1.2.840.10008.5.1.4.1.1.2");
const auto pet = Iod::of_class("1.2.840.10008.5.1.4.1.1.128");
const auto enhanced_mr = Iod::of_class("1.2.840.10008.5.1.4.1.1.4.1");
const auto segmentation = Iod::of_class("1.2.840.10008.5.1.4.1.1.66.4");
const auto unknown = Iod::of_class("1.2.3.4");

} // namespace

TEST_CASE("the type in the IOD decides between X, Z and D")
{
    CHECK(ct.resolve(TableAction::XD, tags::SeriesDate) == TableAction::X);
    CHECK(pet.resolve(TableAction::XD, tags::SeriesDate) == TableAction::D);
    CHECK(ct.resolve(TableAction::ZD, tags::ContentDate) == TableAction::Z);
    CHECK(enhanced_mr.resolve(TableAction::ZD, tags::ContentDate) == TableAction::D);
    CHECK(segmentation.resolve(TableAction::ZD, tags::ContentTime) == TableAction::D);
    CHECK(enhanced_mr.resolve(TableAction::XZD, tags::AcquisitionDateTime) == TableAction::D);
}

TEST_CASE("an unknown class, or an attribute without types, is taken as the strictest")
{
    CHECK(unknown.resolve(TableAction::XD, tags::SeriesDate) == TableAction::D);
    CHECK(ct.resolve(TableAction::XZD, dicom::Tag{0x3010, 0x0001}) == TableAction::D);
    CHECK(Iod::strictest().resolve(TableAction::XZ, tags::SeriesDate) == TableAction::Z);
}

TEST_CASE("what is decided stays decided; references are replaced")
{
    CHECK(unknown.resolve(TableAction::K, tags::SeriesDate) == TableAction::K);
    CHECK(ct.resolve(TableAction::XZU, tags::ReferencedImageSequence) == TableAction::U);
}
