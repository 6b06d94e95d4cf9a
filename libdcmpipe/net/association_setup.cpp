#include "dicom/uid.hpp"
#include "net/association_impl.hpp"
#include "net/async_window.hpp"
#include "net/node.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>

namespace dcmpipe::net {

namespace {

constexpr std::string_view application_context = "1.2.840.10008.3.1.1.1"; // PS3.7 §A.2.1

/// ASC fills in what it proposes and understands up to 50 transfer syntaxes; more are left out.
ProposedContext proposed(const T_ASC_PresentationContext& context)
{
    ProposedContext result;
    result.abstract_syntax = context.abstractSyntax;
    for (const auto& syntax : context.proposedTransferSyntaxes) {
        if (syntax[0] != '\0') {
            result.transfer_syntaxes.emplace_back(syntax);
        }
    }
    result.as_scu = context.proposedRole != ASC_SC_ROLE_SCP;
    result.as_scp = context.proposedRole == ASC_SC_ROLE_SCP || context.proposedRole == ASC_SC_ROLE_SCUSCP;
    return result;
}

std::string_view rejection_text(const T_ASC_RejectParameters& rejection)
{
    switch (rejection.reason) {
    case ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED:
        return "it does not know our AE title";
    case ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED:
        return "it does not go by the AE title it was called by";
    case ASC_REASON_SP_PRES_TEMPORARYCONGESTION:
    case ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED:
        return "it is busy";
    default:
        return "it gives no reason";
    }
}

/// In the order of RejectReason.
constexpr std::array<T_ASC_RejectParameters, 5> rejections{{
    {ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_NOREASON},
    {ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED},
    {ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED},
    {ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED,
     ASC_REASON_SP_PRES_TEMPORARYCONGESTION},
    {ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED,
     ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED},
}};

void copy_text(std::string_view text, char* to, std::size_t size)
{
    const auto count = std::min(text.size(), size - 1);
    std::memcpy(to, text.data(), count);
    to[count] = '\0';
}

void introduce_us(T_ASC_Parameters& parameters)
{
    using namespace dicom::uid;
    auto& our_class = parameters.ourImplementationClassUID;
    auto& our_version = parameters.ourImplementationVersionName;
    copy_text(Implementation, our_class, sizeof our_class);
    copy_text(ImplementationVersionName, our_version, sizeof our_version);
}

std::string_view refusal_text(T_ASC_P_ResultReason reason)
{
    switch (reason) {
    case ASC_P_ABSTRACTSYNTAXNOTSUPPORTED:
        return "it does not take this SOP class";
    case ASC_P_TRANSFERSYNTAXESNOTSUPPORTED:
        return "it does not take this transfer syntax";
    case ASC_P_USERREJECTION:
        return "it does not want them";
    default:
        return "it gives no reason";
    }
}

} // namespace

void Association::Impl::open_network(T_ASC_NetworkRole role)
{
    static std::mutex one_at_a_time; // DUL fills the table of its states anew for each
    const std::lock_guard lock{one_at_a_time};
    const auto seconds = static_cast<int>(patience.association.count());
    check("cannot talk to", ASC_initializeNetwork(role, 0, seconds, &network));
    auto layer = std::make_unique<DulLayer>(channel, role == NET_REQUESTOR);
    check("cannot talk to", ASC_setTransportLayer(network, layer.get(), 1));
    layer.release(); // the network's now
}

void Association::Impl::accept(const AcceptSettings& settings)
{
    channel.begin(patience.association, 0, "it took too long to ask for an association");
    dcmExternalSocketHandle.set(channel.transport().fd());
    channel.listen_in(true);
    open_network(NET_ACCEPTOR);
    const auto condition = ASC_receiveAssociation(
        network, &association, static_cast<long>(settings.max_pdu), nullptr, nullptr, OFFalse, DUL_NOBLOCK,
        static_cast<int>(patience.association.count()));
    dcmExternalSocketHandle.set(-1);
    check("no association with", condition);
    calling_aet = printable_aet(dicom::uid::trimmed(association->params->DULparams.callingAPTitle));
    called_aet = printable_aet(dicom::uid::trimmed(association->params->DULparams.calledAPTitle));
    introduce_us(*association->params);
    refuse_other_applications();
    ask_whether_admitted(settings);
    negotiate(settings);
    answer_extended_negotiation(settings);
    check("no association with", ASC_acknowledgeAssociation(association));
    answer_window();
    channel.flush();
}

/// A peer may send as many requests at once as it likes: they wait in the connection, and are answered in
/// their order. We have one under way.
void Association::Impl::answer_window()
{
    if (const auto asked = window_of(channel.heard())) {
        channel.unsent() = with_window(std::move(channel.unsent()), {.invoked = asked->invoked});
    }
    channel.listen_in(false);
}

void Association::Impl::refuse_other_applications()
{
    if (association->params->DULparams.applicationContextName != application_context) {
        const T_ASC_RejectParameters rejection{
            ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED};
        check("no association with", ASC_rejectAssociation(association, &rejection));
        violates("it does not ask for DICOM");
    }
}

namespace {

/// A field of the user identity, which DCMTK copies for us.
template <class Get>
std::string identity_field(Get get)
{
    char* copy = nullptr;
    Uint16 length = 0;
    get(copy, length);
    const std::unique_ptr<char[]> owner{copy};
    return copy != nullptr ? std::string{copy, length} : std::string{};
}

} // namespace

Caller Association::Impl::caller() const
{
    Caller caller{.calling_aet = calling_aet, .called_aet = called_aet};
    UserIdentityNegotiationSubItemRQ* identity = nullptr;
    ASC_getUserIdentRQ(association->params, &identity);
    if (identity != nullptr && identity->getIdentityType() == ASC_USER_IDENTITY_USER_PASSWORD) {
        caller.user = identity_field([&](char*& to, Uint16& size) { identity->getPrimField(to, size); });
        caller.passcode = identity_field([&](char*& to, Uint16& size) { identity->getSecField(to, size); });
    }
    return caller;
}

/// Who asks to be told that the identity was accepted is told so (PS3.7 §D.3.3.7.2).
void Association::Impl::confirm_identity()
{
    UserIdentityNegotiationSubItemRQ* identity = nullptr;
    ASC_getUserIdentRQ(association->params, &identity);
    if (identity != nullptr && identity->isPosResponseRequested() == OFTrue) {
        auto answer = std::make_unique<UserIdentityNegotiationSubItemAC>();
        answer->setServerResponse("", 0);
        association->params->DULparams.ackUserIdentNeg = answer.release(); // the parameters' now
    }
}

void Association::Impl::ask_whether_admitted(const AcceptSettings& settings)
{
    const auto rejection = settings.admit ? settings.admit(caller()) : std::optional<Rejection>{};
    if (rejection) {
        const auto& parameters = rejections.at(static_cast<std::size_t>(rejection->reason));
        check("no association with", ASC_rejectAssociation(association, &parameters));
        channel.flush();
        throw Error{ErrorKind::Refused, "rejected", peer(), rejection->text};
    }
    if (settings.admit) {
        confirm_identity();
    }
}

void Association::Impl::negotiate(const AcceptSettings& settings)
{
    auto* const parameters = association->params;
    for (int i = 0; i < ASC_countPresentationContexts(parameters); ++i) {
        T_ASC_PresentationContext context;
        // It fails past the 50th transfer syntax, with the context filled in up to there.
        const auto condition = ASC_getPresentationContext(parameters, i, &context);
        if (condition.bad() && context.presentationContextID == 0) {
            fail("no association with", condition);
        }
        const auto offer = proposed(context);
        const auto syntax = settings.choose(offer);
        const auto id = context.presentationContextID;
        if (syntax.empty()) {
            const auto why = ASC_P_ABSTRACTSYNTAXNOTSUPPORTED;
            check("no association with", ASC_refusePresentationContext(parameters, id, why));
        } else {
            // Who asks for roles is told which it has: it requests and we serve, unless it brings reports.
            const auto proposed_role = context.proposedRole;
            const bool serves = settings.peer_may_serve && offer.as_scp;
            const auto role = serves                                 ? proposed_role
                              : proposed_role != ASC_SC_ROLE_DEFAULT ? ASC_SC_ROLE_SCU
                                                                     : ASC_SC_ROLE_DEFAULT;
            check("no association with", ASC_acceptPresentationContext(parameters, id, syntax.c_str(), role));
            contexts.push_back({id, offer.abstract_syntax, syntax});
        }
    }
}

void Association::Impl::answer_extended_negotiation(const AcceptSettings& settings)
{
    SOPClassExtendedNegotiationSubItemList* asked = nullptr;
    ASC_getRequestedExtNegList(association->params, &asked);
    if (asked == nullptr || !settings.extend) {
        return;
    }
    auto answers = std::make_unique<SOPClassExtendedNegotiationSubItemList>();
    for (const auto* const item : *asked) {
        const auto accepted = std::any_of(contexts.begin(), contexts.end(), [&](const Context& context) {
            return item->sopClassUID == context.abstract_syntax.c_str();
        });
        const auto information = accepted ? settings.extend(item->sopClassUID.c_str()) : std::string{};
        if (!information.empty()) {
            auto answer = std::make_unique<SOPClassExtendedNegotiationSubItem>();
            answer->sopClassUID = item->sopClassUID;
            answer->sopClassUIDLength = static_cast<unsigned short>(item->sopClassUID.size());
            answer->serviceClassAppInfoLength = static_cast<unsigned short>(information.size());
            answer->itemLength =
                static_cast<unsigned short>(2 + answer->sopClassUIDLength + information.size());
            answer->serviceClassAppInfo = new unsigned char[information.size()]; // DCMTK deletes it
            std::memcpy(answer->serviceClassAppInfo, information.data(), information.size());
            answers->push_back(answer.release());
        }
    }
    if (!answers->empty()) {
        ASC_setAcceptedExtNegList(association->params, answers.release()); // the parameters' now
    }
}

namespace {

/// A sub-item of one byte: 1 (PS3.4 Table C.5-1). The parameters own it.
void ask_for_relational(T_ASC_Parameters& parameters, const std::string& sop_class)
{
    auto item = std::make_unique<SOPClassExtendedNegotiationSubItem>();
    auto service = std::make_unique<unsigned char[]>(1);
    service[0] = 1;
    item->sopClassUID = sop_class.c_str();
    item->serviceClassAppInfoLength = 1;
    item->serviceClassAppInfo = service.release();
    auto items = std::make_unique<SOPClassExtendedNegotiationSubItemList>();
    items->push_back(item.release());
    ASC_setRequestedExtNegList(&parameters, items.release());
}

bool agreed_to_relational(T_ASC_Parameters& parameters)
{
    SOPClassExtendedNegotiationSubItemList* items = nullptr;
    ASC_getAcceptedExtNegList(&parameters, &items);
    if (items == nullptr || items->empty()) {
        return false;
    }
    const auto* const item = items->front();
    return item->serviceClassAppInfoLength > 0 && item->serviceClassAppInfo[0] == 1;
}

} // namespace

T_ASC_Parameters* Association::Impl::proposal(const RequestSettings& settings)
{
    T_ASC_Parameters* parameters = nullptr;
    check(
        "no association with",
        ASC_createAssociationParameters(&parameters, static_cast<long>(settings.max_pdu)));
    introduce_us(*parameters);
    const auto& calling = settings.calling_aet;
    const auto& called = settings.called_aet;
    auto condition = ASC_setAPTitles(parameters, calling.c_str(), called.c_str(), nullptr);
    unsigned id = 1;
    for (const auto& context : settings.contexts) {
        std::vector<const char*> syntaxes;
        for (const auto& syntax : context.transfer_syntaxes) {
            syntaxes.push_back(syntax.c_str());
        }
        if (condition.good()) {
            condition = ASC_addPresentationContext(
                parameters, static_cast<T_ASC_PresentationContextID>(id), context.abstract_syntax.c_str(),
                syntaxes.data(), static_cast<int>(syntaxes.size()),
                context.as_scp ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT);
        }
        id += 2;
    }
    if (condition.good() && !settings.user.empty()) {
        constexpr OFBool answer_wanted = OFFalse; // many nodes that check an identity give none
        condition = ASC_setIdentRQUserPassword(
            parameters, settings.user.c_str(), settings.passcode.c_str(), answer_wanted);
    }
    if (settings.relational) {
        ask_for_relational(*parameters, settings.contexts.front().abstract_syntax);
    }
    if (condition.bad()) {
        static_cast<void>(ASC_destroyAssociationParameters(&parameters));
        fail("no association with", condition);
    }
    return parameters;
}

void Association::Impl::request(const RequestSettings& settings)
{
    if (settings.contexts.empty() || settings.contexts.size() > 128) {
        throw Error{ErrorKind::Internal, "an association has 1 to 128 presentation contexts"};
    }
    calling_aet = settings.calling_aet;
    called_aet = settings.called_aet;
    channel.begin(patience.association);
    open_network(NET_REQUESTOR);
    const Rendezvous rendezvous;
    auto* const parameters = proposal(settings);
    auto condition = ASC_setPresentationAddresses(parameters, "localhost", rendezvous.address().c_str());
    if (condition.good()) {
        condition = ASC_requestAssociation(
            network, parameters, &association, nullptr, nullptr, DUL_NOBLOCK,
            static_cast<int>(patience.association.count()));
    }
    if (association == nullptr) { // else the parameters are the association's
        auto* unused = parameters;
        static_cast<void>(ASC_destroyAssociationParameters(&unused));
    }
    if (condition == DUL_ASSOCIATIONREJECTED) {
        T_ASC_RejectParameters rejection;
        check("rejected by", ASC_getRejectParameters(parameters, &rejection));
        throw Error{ErrorKind::Peer, "rejected by", peer(), rejection_text(rejection)};
    }
    check("no association with", condition);
    relational = settings.relational && agreed_to_relational(*parameters);
    for (int i = 0; i < ASC_countPresentationContexts(parameters); ++i) {
        T_ASC_PresentationContext context;
        check("no association with", ASC_getPresentationContext(parameters, i, &context));
        if (context.resultReason == ASC_P_ACCEPTANCE) {
            contexts.push_back(
                {context.presentationContextID, context.abstractSyntax, context.acceptedTransferSyntax});
        } else {
            refused.push_back(
                {context.abstractSyntax, context.proposedTransferSyntaxes[0],
                 refusal_text(context.resultReason)});
        }
    }
}

} // namespace dcmpipe::net
