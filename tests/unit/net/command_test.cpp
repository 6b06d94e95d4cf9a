#include "net/command.hpp"

#include "core/error.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"

#include <catch2/catch.hpp>

using namespace dcmpipe;
using net::Command;
using net::CommandField;
namespace tags = dicom::tags;

namespace {

std::string element(dicom::Tag tag, std::string_view value)
{
    return dicom::encode_element(tag, dicom::vr::UI, value, dicom::ImplicitLittleEndian);
}

} // namespace

TEST_CASE("what is encoded is parsed, with the group length in front")
{
    Command command{CommandField::CStoreRequest};
    command.set(tags::MessageID, std::uint16_t{7})
        .set(tags::AffectedSOPInstanceUID, "1.2.3")
        .announce_data_set();
    const auto bytes = command.encode();
    CHECK(bytes.substr(0, 8) == std::string_view{"\0\0\0\0\4\0\0\0", 8});
    CHECK(static_cast<unsigned char>(bytes[8]) == bytes.size() - 12);

    const auto parsed = Command::parse(bytes);
    CHECK(parsed.field() == CommandField::CStoreRequest);
    CHECK(parsed.message_id() == 7);
    CHECK(parsed.text(tags::AffectedSOPInstanceUID) == "1.2.3");
    CHECK(parsed.has_data_set());
    CHECK(parsed.encode() == bytes);
}

TEST_CASE("a response says what it answers, and has no data set")
{
    Command request{CommandField::CEchoRequest};
    request.set(tags::MessageID, std::uint16_t{9}).set(tags::AffectedSOPClassUID, "1.2.840.10008.1.1");
    const auto response = Command::parse(Command::response_to(request, 0xa700).encode());
    CHECK(response.field() == CommandField::CEchoResponse);
    CHECK(response.responds_to() == 9);
    CHECK(response.status() == 0xa700);
    CHECK(response.text(tags::AffectedSOPClassUID) == "1.2.840.10008.1.1");
    CHECK_FALSE(response.has_data_set());
}

TEST_CASE("an endless UID is not echoed")
{
    Command request{CommandField::CStoreRequest};
    request.set(tags::AffectedSOPInstanceUID, std::string(1000, '1'));
    CHECK(Command::response_to(request, 0).text(tags::AffectedSOPInstanceUID).empty());
}

TEST_CASE("absent and short elements have no value")
{
    const auto command = Command::parse(element(tags::MessageID, ""));
    CHECK(command.message_id() == 0);
    CHECK(command.number(tags::Status, 42) == 42);
    CHECK(command.text(tags::MoveDestination).empty());
    CHECK_FALSE(command.has_data_set());
}

TEST_CASE("what is no command set is refused")
{
    const auto good = element(tags::AffectedSOPClassUID, "1.2");
    const std::string lie{"\0\0\2\0\xff\xff\xff\xff", 8};
    for (const auto& bytes :
         {good + std::string(1, '\0'), good.substr(0, good.size() - 1), element(tags::SOPClassUID, "1.2"),
          lie, good + lie, std::string(Command::longest + 1, '\0')}) {
        CHECK_THROWS_AS(Command::parse(bytes), Error);
    }
}
