#include "net/storage_scp.hpp"

#include "core/log.hpp"
#include "dicom/tags.hpp"
#include "net/commitment_scp.hpp"

#include <fmt/format.h>

namespace dcmpipe::net {

namespace tags = dicom::tags;

namespace {

void drain(Association& association, const Association::Message& request)
{
    if (request.command.has_data_set()) {
        association.receive_data_set(request, [](std::string_view /*fragment*/) {});
    }
}

} // namespace

StorageScp::StorageScp(InstanceStore& store, std::string aet, OnStored on_stored)
    : store_(store), aet_(std::move(aet)), on_stored_(std::move(on_stored))
{
}

void StorageScp::serve(Association& association)
{
    while (const auto request = association.receive()) {
        answer(association, *request);
        if (commitment_ != nullptr) {
            commitment_->report_on(association);
        }
    }
}

void StorageScp::answer(Association& association, const Association::Message& request)
{
    const auto field = request.command.field();
    if (commitment_ != nullptr && field == CommandField::NActionRequest) {
        return commitment_->take(association, request);
    }
    if (commitment_ != nullptr && field == CommandField::NEventReportResponse) {
        drain(association, request);
        return commitment_->heard(request.command);
    }
    switch (field) {
    case CommandField::CStoreRequest:
        return store(association, request);
    case CommandField::CCancelRequest:
        return; // it has no response, and nothing runs that it could end
    case CommandField::CEchoRequest:
        drain(association, request);
        return association.send(request.context_id, Command::response_to(request.command, status::Success));
    default:
        drain(association, request);
        return association.send(
            request.context_id, Command::response_to(request.command, status::UnrecognizedOperation));
    }
}

StoreOutcome StorageScp::take(
    Association& association, const Association::Message& request, const AnnouncedInstance& announced)
{
    if (!request.command.has_data_set()) {
        return {.status = status::CannotUnderstand, .reason = "no data set"};
    }
    if (most_instances_ != 0 && stored_ + refused_ >= most_instances_) {
        drain(association, request);
        return {
            .status = status::OutOfResources,
            .reason = "too many instances on one association",
            .limit = "max-instances"};
    }
    if (takes_ && !takes_(announced.sop_class_uid)) {
        drain(association, request);
        return {.status = status::SopClassNotSupported, .reason = "no instance of this SOP class is taken"};
    }
    auto incoming = store_.begin(announced);
    association.receive_data_set(request, [&](std::string_view fragment) { incoming.take(fragment); });
    return incoming.finish();
}

void StorageScp::store(Association& association, const Association::Message& request)
{
    const auto& command = request.command;
    const AnnouncedInstance announced{
        .sop_class_uid = std::string{command.text(tags::AffectedSOPClassUID)},
        .instance_uid = std::string{command.text(tags::AffectedSOPInstanceUID)},
        .transfer_syntax = association.context(request.context_id)->transfer_syntax,
        .calling_aet = association.calling_aet(),
        .receiving_aet = aet_};
    const auto outcome = take(association, request, announced);
    auto response = Command::response_to(command, outcome.status);
    if (outcome.instance) {
        ++stored_;
        on_stored_(*outcome.instance);
    } else {
        ++refused_;
        log::warning(
            "refused an instance from {} at {} with {}: {}{}", association.calling_aet(), association.peer(),
            status_text(outcome.status), outcome.reason,
            outcome.limit.empty() ? "" : fmt::format(" (--{})", outcome.limit));
        if (on_refused_) {
            on_refused_(announced, outcome);
        }
        response.set(tags::ErrorComment, std::string_view{outcome.reason}.substr(0, 64));
    }
    association.send(request.context_id, response);
}

} // namespace dcmpipe::net
