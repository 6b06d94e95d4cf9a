#include "send/commitment_message.hpp"

#include "core/error.hpp"
#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

#include <sys/random.h>

#include <fmt/format.h>

namespace dcmpipe::send {

namespace tags = dicom::tags;
namespace vr = dicom::vr;
using dicom::ElementIndex;
using net::Association;
using net::Command;
using net::CommandField;

namespace {

constexpr std::string_view well_known_instance = "1.2.840.10008.1.20.1.1";
constexpr std::uint16_t request_storage_commitment = 1; ///< Action Type ID
constexpr std::size_t longest_report = 16U << 20U;

[[noreturn]] void broke_off(const Association& association, std::string_view how)
{
    throw Error{ErrorKind::Peer, "broke off with", association.peer(), how};
}

/// The references in a sequence, each with its failure reason, or 0.
std::map<Reference, std::uint16_t> references_in(const ElementIndex& index, dicom::Tag sequence)
{
    std::map<Reference, std::uint16_t> references;
    const auto found = index.find(sequence);
    if (found == ElementIndex::None || !index[found].is_sequence()) {
        return references;
    }
    for (auto item = index.first_child(found); item != ElementIndex::None && item < index.end_of(found);
         item = index[item].end) {
        references.insert_or_assign(
            Reference{
                index.text(tags::ReferencedSOPClassUID, item),
                index.text(tags::ReferencedSOPInstanceUID, item)},
            index.unsigned_short(tags::FailureReason, 0, item));
    }
    return references;
}

} // namespace

std::string new_transaction_uid()
{
    std::array<std::uint8_t, 16> uuid{};
    if (::getrandom(uuid.data(), uuid.size(), 0) != static_cast<ssize_t>(uuid.size())) {
        throw Error::from_errno(ErrorKind::Internal, "cannot make", "a UID");
    }
    return dicom::uid::from_uuid(uuid);
}

std::uint16_t request_commitment(
    Association& association, const net::Context& context, const std::string& transaction_uid,
    const std::vector<Reference>& references)
{
    const auto encoding = dicom::transfer_syntax::encoding_of(context.transfer_syntax);
    std::string items;
    for (const auto& [sop_class, instance] : references) {
        items += dicom::encode_item(
            dicom::encode_element(tags::ReferencedSOPClassUID, vr::UI, sop_class, encoding) +
                dicom::encode_element(tags::ReferencedSOPInstanceUID, vr::UI, instance, encoding),
            encoding);
    }
    const auto data_set = dicom::encode_element(tags::TransactionUID, vr::UI, transaction_uid, encoding) +
                          dicom::encode_element(tags::ReferencedSOPSequence, vr::SQ, items, encoding);
    constexpr std::uint16_t message_id = 1;
    Command command{CommandField::NActionRequest};
    command.set(tags::RequestedSOPClassUID, CommitmentClass)
        .set(tags::MessageID, message_id)
        .set(tags::RequestedSOPInstanceUID, well_known_instance)
        .set(tags::ActionTypeID, request_storage_commitment);
    association.send(context.id, std::move(command), data_set);
    const auto response = association.receive();
    if (!response || response->command.field() != CommandField::NActionResponse ||
        response->command.responds_to() != message_id) {
        broke_off(association, "it did not answer a request for storage commitment");
    }
    if (response->command.has_data_set()) {
        association.receive_data_set(*response, [](std::string_view /*piece*/) {});
    }
    return response->command.status();
}

CommitmentReport receive_report(Association& association, const Association::Message& message)
{
    if (message.command.field() != CommandField::NEventReportRequest || !message.command.has_data_set()) {
        broke_off(association, "it sent " + net::name_of(message.command.field()) + " out of turn");
    }
    std::string bytes;
    association.receive_data_set(message, [&](std::string_view piece) {
        if (bytes.size() + piece.size() > longest_report) {
            broke_off(association, "its report is too long");
        }
        bytes.append(piece);
    });
    const auto& syntax = association.context(message.context_id)->transfer_syntax;
    CommitmentReport report;
    try {
        const auto index = ElementIndex::walk(bytes, dicom::transfer_syntax::encoding_of(syntax));
        report.transaction_uid = index.text(tags::TransactionUID);
        report.failed = references_in(index, tags::FailedSOPSequence);
        for (const auto& [reference, none] : references_in(index, tags::ReferencedSOPSequence)) {
            report.committed.insert(reference);
        }
    } catch (const Error& error) {
        broke_off(association, error.reason());
    }
    association.send(
        message.context_id, Command::response_to(message.command, net::status::Success)
                                .set(tags::EventTypeID, message.command.number(tags::EventTypeID, 1)));
    return report;
}

std::string describe_failure(std::uint16_t reason)
{
    constexpr std::array<std::pair<std::uint16_t, std::string_view>, 6> known{{
        {0x0110, "processing failure"},
        {0x0112, "it does not have the instance"},
        {0x0119, "it has the instance under another SOP class"},
        {0x0122, "SOP class not supported"},
        {0x0131, "the transaction UID is in use"},
        {0x0213, "out of resources"},
    }};
    const auto* const found =
        std::find_if(known.begin(), known.end(), [&](const auto& row) { return row.first == reason; });
    return fmt::format("{:04X}H, {}", reason, found != known.end() ? found->second : "a failure");
}

} // namespace dcmpipe::send
