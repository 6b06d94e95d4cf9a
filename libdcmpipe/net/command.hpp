#pragma once

#include "dicom/tag.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace dcmpipe::net {

/// (0000,0100) Command Field (PS3.7 §E.1). A response is its request with the highest bit set.
enum class CommandField : std::uint16_t {
    CStoreRequest = 0x0001,
    CGetRequest = 0x0010,
    CFindRequest = 0x0020,
    CMoveRequest = 0x0021,
    CEchoRequest = 0x0030,
    NEventReportRequest = 0x0100,
    NActionRequest = 0x0130,
    CCancelRequest = 0x0fff,
    CStoreResponse = 0x8001,
    CGetResponse = 0x8010,
    CFindResponse = 0x8020,
    CMoveResponse = 0x8021,
    CEchoResponse = 0x8030,
    NEventReportResponse = 0x8100,
    NActionResponse = 0x8130,
};

/// (0000,0900) Status (PS3.7 §C, PS3.4 for each service).
namespace status {
inline constexpr std::uint16_t Success = 0x0000;
inline constexpr std::uint16_t ProcessingFailure = 0x0110;
inline constexpr std::uint16_t DuplicateInstance = 0x0111;
inline constexpr std::uint16_t NoSuchInstance = 0x0112;
inline constexpr std::uint16_t InvalidArgument = 0x0115;
inline constexpr std::uint16_t NoSuchSopClass = 0x0118;
inline constexpr std::uint16_t ClassInstanceConflict = 0x0119;
inline constexpr std::uint16_t SopClassNotSupported = 0x0122;
inline constexpr std::uint16_t NoSuchAction = 0x0123;
inline constexpr std::uint16_t NotAuthorized = 0x0124;
inline constexpr std::uint16_t UnrecognizedOperation = 0x0211;
inline constexpr std::uint16_t ResourceLimitation = 0x0213;
inline constexpr std::uint16_t OutOfResources = 0xa700;
inline constexpr std::uint16_t DataSetDoesNotMatch = 0xa900;
inline constexpr std::uint16_t SubOperationsWarning = 0xb000;
inline constexpr std::uint16_t CannotUnderstand = 0xc000;
inline constexpr std::uint16_t Cancelled = 0xfe00;

constexpr bool is_pending(std::uint16_t value)
{
    return value == 0xff00 || value == 0xff01;
}
} // namespace status

/// A command set (PS3.7 §6.3): the elements of group 0000, in implicit VR little endian, one level deep.
class Command {
public:
    /// No command is longer: the standard's own stay below 1 KiB.
    static constexpr std::size_t longest = 16 * 1024;

    explicit Command(CommandField field);

    /// The response to `request` with this status: same SOP class and instance, no data set.
    static Command response_to(const Command& request, std::uint16_t status);

    /// Throws Error{Peer} where the bytes are no command set, or longer than `longest`.
    static Command parse(std::string_view bytes);

    std::string encode() const;

    CommandField field() const;
    std::uint16_t message_id() const;
    std::uint16_t responds_to() const;
    std::uint16_t status() const;
    /// (0000,0800): a data set follows.
    bool has_data_set() const;

    /// The first value of a US element.
    std::uint16_t number(dicom::Tag tag, std::uint16_t otherwise) const;
    /// Without padding; empty where it is absent.
    std::string_view text(dicom::Tag tag) const;

    Command& set(dicom::Tag tag, std::uint16_t value);
    Command& set(dicom::Tag tag, std::string_view text);
    Command& announce_data_set();

private:
    Command() = default;

    std::map<dicom::Tag, std::string> elements_; ///< values as they stand in the bytes
};

/// `C-STORE`, for messages; a number for what has no name.
std::string name_of(CommandField field);

/// A status as the standard writes it: `A700H`.
std::string status_text(std::uint16_t status);

} // namespace dcmpipe::net
