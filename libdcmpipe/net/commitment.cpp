#include "net/commitment.hpp"

#include "core/error.hpp"
#include "dicom/element_index.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

namespace dcmpipe::net {

namespace tags = dicom::tags;
namespace vr = dicom::vr;

namespace {

[[noreturn]] void refuse(std::string_view reason)
{
    throw Error{ErrorKind::Peer, "cannot understand", "a message of storage commitment", reason};
}

std::string uid_of(const dicom::ElementIndex& index, dicom::Tag tag, std::uint32_t parent)
{
    const auto uid = dicom::uid::trimmed(index.text(tag, parent));
    if (!dicom::uid::is_valid(uid)) {
        refuse("a UID is missing or none");
    }
    return std::string{uid};
}

dicom::ElementIndex walk(std::string_view data_set, std::string_view transfer_syntax)
try {
    constexpr dicom::Limits limits{.depth = 8};
    return dicom::ElementIndex::walk(data_set, dicom::transfer_syntax::encoding_of(transfer_syntax), limits);
} catch (const Error& error) {
    refuse(error.reason());
}

/// Calls `take` for each item of a sequence, with the item and what it refers to.
template <class Take>
void for_each_reference(const dicom::ElementIndex& index, dicom::Tag tag, const Take& take)
{
    const auto sequence = index.find(tag);
    if (sequence == dicom::ElementIndex::None || !index[sequence].is_sequence()) {
        return;
    }
    for (auto item = index.first_child(sequence); item < index.end_of(sequence); item = index[item].end) {
        take(
            item, InstanceReference{
                      uid_of(index, tags::ReferencedSOPClassUID, item),
                      uid_of(index, tags::ReferencedSOPInstanceUID, item)});
    }
}

std::string encode_references(const InstanceReference& reference, dicom::Encoding encoding)
{
    return dicom::encode_element(tags::ReferencedSOPClassUID, vr::UI, reference.sop_class_uid, encoding) +
           dicom::encode_element(tags::ReferencedSOPInstanceUID, vr::UI, reference.instance_uid, encoding);
}

} // namespace

CommitmentRequest parse_commitment_request(std::string_view data_set, std::string_view transfer_syntax)
{
    const auto index = walk(data_set, transfer_syntax);
    constexpr auto top = dicom::ElementIndex::None;
    CommitmentRequest request{.transaction_uid = uid_of(index, tags::TransactionUID, top), .instances = {}};
    for_each_reference(
        index, tags::ReferencedSOPSequence, [&](std::uint32_t /*item*/, InstanceReference reference) {
            request.instances.push_back(std::move(reference));
        });
    if (request.instances.empty()) {
        refuse("it names no instance");
    }
    return request;
}

std::string encode_commitment_request(const CommitmentRequest& request, std::string_view transfer_syntax)
{
    const auto encoding = dicom::transfer_syntax::encoding_of(transfer_syntax);
    std::string items;
    for (const auto& one : request.instances) {
        items += dicom::encode_item(encode_references(one, encoding), encoding);
    }
    return dicom::encode_element(tags::TransactionUID, vr::UI, request.transaction_uid, encoding) +
           dicom::encode_element(tags::ReferencedSOPSequence, vr::SQ, items, encoding);
}

CommitmentReport parse_commitment_report(std::string_view data_set, std::string_view transfer_syntax)
{
    const auto index = walk(data_set, transfer_syntax);
    constexpr auto top = dicom::ElementIndex::None;
    CommitmentReport report{.transaction_uid = uid_of(index, tags::TransactionUID, top)};
    for_each_reference(index, tags::FailedSOPSequence, [&](std::uint32_t item, InstanceReference reference) {
        report.failed.push_back({std::move(reference), index.unsigned_short(tags::FailureReason, 0, item)});
    });
    for_each_reference(
        index, tags::ReferencedSOPSequence, [&](std::uint32_t /*item*/, InstanceReference reference) {
            report.committed.push_back(std::move(reference));
        });
    if (report.failed.empty() && report.committed.empty()) {
        refuse("it names no instance");
    }
    return report;
}

std::string encode_commitment_report(const CommitmentReport& report, std::string_view transfer_syntax)
{
    const auto encoding = dicom::transfer_syntax::encoding_of(transfer_syntax);
    std::string failed;
    for (const auto& one : report.failed) {
        const auto reason = dicom::encode_u16(one.reason, encoding.big_endian);
        failed += dicom::encode_item(
            encode_references(one.reference, encoding) +
                dicom::encode_element(tags::FailureReason, vr::US, reason, encoding),
            encoding);
    }
    std::string committed;
    for (const auto& one : report.committed) {
        committed += dicom::encode_item(encode_references(one, encoding), encoding);
    }
    auto bytes = dicom::encode_element(tags::TransactionUID, vr::UI, report.transaction_uid, encoding);
    if (!failed.empty()) {
        bytes += dicom::encode_element(tags::FailedSOPSequence, vr::SQ, failed, encoding);
    }
    if (!committed.empty()) {
        bytes += dicom::encode_element(tags::ReferencedSOPSequence, vr::SQ, committed, encoding);
    }
    return bytes;
}

} // namespace dcmpipe::net
