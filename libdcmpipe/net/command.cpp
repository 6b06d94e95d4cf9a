#include "net/command.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <fmt/format.h>

namespace dcmpipe::net {

namespace {

using dicom::Tag;
namespace tags = dicom::tags;

/// (0000,0800) Command Data Set Type of a message without a data set; any other number means there is one.
constexpr std::uint16_t no_data_set = 0x0101;

constexpr std::size_t longest_uid = 64;

[[noreturn]] void refuse(std::string_view reason)
{
    throw Error{ErrorKind::Peer, "cannot understand", "a command", reason};
}

} // namespace

Command::Command(CommandField field)
{
    set(tags::CommandField, static_cast<std::uint16_t>(field));
    set(tags::CommandDataSetType, no_data_set);
}

Command Command::response_to(const Command& request, std::uint16_t status)
{
    Command response{static_cast<CommandField>(request.number(tags::CommandField, 0) | 0x8000U)};
    response.set(tags::MessageIDBeingRespondedTo, request.message_id()).set(tags::Status, status);
    const auto echo = [&](dicom::Tag from, dicom::Tag to) {
        if (const auto uid = request.text(from); !uid.empty() && uid.size() <= longest_uid) {
            response.set(to, uid);
        }
    };
    // What an N-ACTION requests is affected by it (PS3.7 §10.1.4).
    echo(tags::RequestedSOPClassUID, tags::AffectedSOPClassUID);
    echo(tags::RequestedSOPInstanceUID, tags::AffectedSOPInstanceUID);
    echo(tags::AffectedSOPClassUID, tags::AffectedSOPClassUID);
    echo(tags::AffectedSOPInstanceUID, tags::AffectedSOPInstanceUID);
    return response;
}

Command Command::parse(std::string_view bytes)
{
    if (bytes.size() > longest) {
        refuse("it is too long");
    }
    Command command;
    while (!bytes.empty()) {
        if (bytes.size() < 8) {
            refuse("it is cut short");
        }
        const Tag tag{dicom::read_u16(bytes, 0, false), dicom::read_u16(bytes, 2, false)};
        const auto length = dicom::read_u32(bytes, 4, false);
        bytes.remove_prefix(8);
        if (tag.group() != 0) {
            refuse("it holds an element of another group");
        }
        if (length > bytes.size()) {
            refuse("an element is longer than the command");
        }
        if (tag != Tag{0, 0}) { // the group length, which encode() makes
            command.elements_.insert_or_assign(tag, std::string{bytes.substr(0, length)});
        }
        bytes.remove_prefix(length);
    }
    return command;
}

std::string Command::encode() const
{
    std::string group;
    for (const auto& [tag, value] : elements_) {
        const auto vr = dicom::dictionary::vr_of(tag);
        group += dicom::encode_element(tag, vr, value, dicom::ImplicitLittleEndian);
    }
    const auto length = dicom::encode_u32(static_cast<std::uint32_t>(group.size()));
    return dicom::encode_element(Tag{0, 0}, dicom::vr::UL, length, dicom::ImplicitLittleEndian) + group;
}

CommandField Command::field() const
{
    return static_cast<CommandField>(number(tags::CommandField, 0));
}

std::uint16_t Command::message_id() const
{
    return number(tags::MessageID, 0);
}

std::uint16_t Command::responds_to() const
{
    return number(tags::MessageIDBeingRespondedTo, 0);
}

std::uint16_t Command::status() const
{
    return number(tags::Status, 0);
}

bool Command::has_data_set() const
{
    return number(tags::CommandDataSetType, no_data_set) != no_data_set;
}

std::uint16_t Command::number(Tag tag, std::uint16_t otherwise) const
{
    const auto found = elements_.find(tag);
    return found != elements_.end() && found->second.size() >= 2 ? dicom::read_u16(found->second, 0, false)
                                                                 : otherwise;
}

std::string_view Command::text(Tag tag) const
{
    const auto found = elements_.find(tag);
    if (found == elements_.end()) {
        return {};
    }
    const auto text = dicom::uid::trimmed(found->second);
    return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

Command& Command::set(Tag tag, std::uint16_t value)
{
    elements_.insert_or_assign(tag, dicom::encode_u16(value));
    return *this;
}

Command& Command::set(Tag tag, std::string_view text)
{
    elements_.insert_or_assign(tag, std::string{text});
    return *this;
}

Command& Command::announce_data_set()
{
    return set(tags::CommandDataSetType, std::uint16_t{0x0001});
}

std::string name_of(CommandField field)
{
    switch (static_cast<CommandField>(static_cast<unsigned>(field) & 0x7fffU)) {
    case CommandField::CStoreRequest:
        return "C-STORE";
    case CommandField::CGetRequest:
        return "C-GET";
    case CommandField::CFindRequest:
        return "C-FIND";
    case CommandField::CMoveRequest:
        return "C-MOVE";
    case CommandField::CEchoRequest:
        return "C-ECHO";
    case CommandField::NEventReportRequest:
        return "N-EVENT-REPORT";
    case CommandField::NActionRequest:
        return "N-ACTION";
    default:
        return fmt::format("command {:04X}H", static_cast<unsigned>(field));
    }
}

std::string status_text(std::uint16_t status)
{
    return fmt::format("{:04X}H", status);
}

} // namespace dcmpipe::net
