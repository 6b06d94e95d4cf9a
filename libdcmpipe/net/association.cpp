#include "net/association_impl.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::net {

void check_max_pdu(std::uint32_t max_pdu)
{
    if (max_pdu < least_max_pdu || max_pdu > default_max_pdu) {
        throw Error{
            ErrorKind::Usage,
            fmt::format("the longest PDU is {} to {} bytes", least_max_pdu, default_max_pdu)};
    }
}

Patience Patience::of(std::chrono::seconds timeout)
{
    return {.association = std::min(timeout, std::chrono::seconds{30}), .idle = timeout, .message = timeout};
}

Association::Impl::Impl(
    std::unique_ptr<Transport> transport, const Patience& how_long, std::function<bool()> stop)
    : channel(std::move(transport)), patience(how_long), stop_waiting(std::move(stop)), pdvs(channel)
{
    prepare_dcmtk();
    if (patience.in_all.count() > 0) {
        channel.end_at(Clock::now() + patience.in_all);
    }
}

Association::Impl::~Impl()
{
    channel.begin(std::chrono::seconds{1});
    // Nothing is left to be done where these fail.
    static_cast<void>(ASC_destroyAssociation(&association));
    static_cast<void>(ASC_dropNetwork(&network));
}

void Association::Impl::fail(std::string_view doing, const OFCondition& condition)
{
    if (channel.failure()) {
        throw Error{*channel.failure()};
    }
    throw Error{ErrorKind::Peer, doing, peer(), condition.text()};
}

void Association::Impl::violates(std::string_view how) const
{
    throw Error{ErrorKind::Peer, "broke off with", peer(), how};
}

void Association::Impl::check(std::string_view doing, const OFCondition& condition)
{
    if (condition.bad()) {
        fail(doing, condition);
    }
}

void Association::Impl::check_stop() const
{
    if (stop_waiting && stop_waiting()) {
        throw Error{ErrorKind::Cancelled, "stopping"};
    }
}

void Association::Impl::wait_for_message()
{
    const auto until = std::min(Clock::now() + patience.idle, channel.end());
    while (!channel.readable_until(std::min(until, Clock::now() + std::chrono::seconds{1}))) {
        check_stop();
        if (Clock::now() >= until) {
            violates(
                Clock::now() >= channel.end() ? "the association lasts too long"
                                              : "it was silent between messages for too long");
        }
    }
}

/// Nothing where the peer asks for the release.
std::optional<Pdv> Association::Impl::next_pdv()
{
    if (auto pdv = pdvs.next()) {
        return pdv;
    }
    const auto condition = DUL_ReadPDVs(&association->DULassociation, nullptr, DUL_NOBLOCK, 1);
    if (condition == DUL_PEERREQUESTEDRELEASE) {
        return std::nullopt;
    }
    if (condition == DUL_PEERABORTEDASSOCIATION && !channel.failure()) {
        violates("it aborted the association");
    }
    fail("broke off with", condition);
}

void Association::Impl::send(std::uint8_t context_id, DUL_DATAPDV type, std::string_view bytes, bool last)
{
    DUL_PDV pdv{};
    pdv.data = const_cast<char*>(bytes.data()); // it is only read
    pdv.fragmentLength = bytes.size();
    pdv.presentationContextID = context_id;
    pdv.pdvType = type;
    pdv.lastPDV = last ? OFTrue : OFFalse;
    DUL_PDVLIST list{};
    list.count = 1;
    list.pdv = &pdv;
    check("lost the connection to", DUL_WritePDVs(&association->DULassociation, &list));
}

Association::Association(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Association::Association(Association&&) noexcept = default;
Association& Association::operator=(Association&&) noexcept = default;
Association::~Association() = default;

Association Association::accept(std::unique_ptr<Transport> transport, const AcceptSettings& settings)
{
    auto impl = std::make_unique<Impl>(std::move(transport), settings.patience, settings.stop_waiting);
    impl->accept(settings);
    return Association{std::move(impl)};
}

Association Association::request(std::unique_ptr<Transport> transport, const RequestSettings& settings)
{
    auto impl = std::make_unique<Impl>(std::move(transport), settings.patience, settings.stop_waiting);
    impl->request(settings);
    return Association{std::move(impl)};
}

const std::string& Association::calling_aet() const noexcept
{
    return impl_->calling_aet;
}

const std::string& Association::called_aet() const noexcept
{
    return impl_->called_aet;
}

const std::string& Association::peer() const noexcept
{
    return impl_->peer();
}

const Patience& Association::patience() const noexcept
{
    return impl_->patience;
}

const std::vector<Context>& Association::contexts() const noexcept
{
    return impl_->contexts;
}

const std::vector<RefusedContext>& Association::refused() const noexcept
{
    return impl_->refused;
}

bool Association::is_relational() const noexcept
{
    return impl_->relational;
}

const Context* Association::context(std::uint8_t id) const noexcept
{
    const auto& all = impl_->contexts;
    const auto found = std::find_if(all.begin(), all.end(), [&](const Context& c) { return c.id == id; });
    return found != all.end() ? &*found : nullptr;
}

const Context* Association::context_for(std::string_view abstract_syntax) const noexcept
{
    const auto& all = impl_->contexts;
    const auto found = std::find_if(
        all.begin(), all.end(), [&](const Context& c) { return c.abstract_syntax == abstract_syntax; });
    return found != all.end() ? &*found : nullptr;
}

std::optional<Association::Message> Association::receive()
{
    impl_->check_stop();
    if (!impl_->pdvs.has_pdv()) {
        impl_->wait_for_message();
    }
    impl_->channel.begin(impl_->patience.message, impl_->patience.least_rate, "its message comes too slowly");
    std::string bytes;
    std::uint8_t context_id = 0;
    for (bool last = false; !last;) {
        const auto pdv = impl_->next_pdv();
        if (!pdv) {
            impl_->channel.begin(impl_->patience.association);
            impl_->check("cannot release", ASC_acknowledgeRelease(impl_->association));
            impl_->channel.try_flush(); // it may have hung up already, and has all it wanted
            return std::nullopt;
        }
        if (!pdv->command) {
            impl_->violates("it sent a data set without a command");
        }
        if (context_id != 0 && context_id != pdv->context_id) {
            impl_->violates("it changed the presentation context within a command");
        }
        context_id = pdv->context_id;
        if (bytes.size() + pdv->data.size() > Command::longest) {
            impl_->violates("its command is too long");
        }
        bytes.append(pdv->data);
        last = pdv->last;
    }
    if (context(context_id) == nullptr) {
        impl_->violates("it uses a presentation context that was not agreed on");
    }
    return Message{context_id, Command::parse(bytes)};
}

void Association::receive_data_set(const Message& message, const std::function<void(std::string_view)>& take)
{
    for (bool last = false; !last;) {
        const auto pdv = impl_->next_pdv();
        if (!pdv) {
            impl_->violates("it released the association in the middle of a data set");
        }
        if (pdv->command || pdv->context_id != message.context_id) {
            impl_->violates("it broke off a data set");
        }
        take(pdv->data);
        last = pdv->last;
    }
}

void Association::send(std::uint8_t context_id, const Command& command)
{
    impl_->channel.begin(impl_->patience.message);
    impl_->send(context_id, DUL_COMMANDPDV, command.encode());
    impl_->channel.flush();
}

void Association::send(std::uint8_t context_id, Command command, std::string_view data_set)
{
    impl_->channel.begin(impl_->patience.message, impl_->patience.least_rate, "it takes too little data");
    impl_->send(context_id, DUL_COMMANDPDV, command.announce_data_set().encode());
    impl_->send(context_id, DUL_DATASETPDV, data_set);
    impl_->channel.flush();
}

void Association::send(std::uint8_t context_id, Command command, const std::function<Piece()>& next)
{
    impl_->channel.begin(impl_->patience.message, impl_->patience.least_rate, "it takes too little data");
    impl_->send(context_id, DUL_COMMANDPDV, command.announce_data_set().encode());
    for (bool last = false; !last;) {
        const auto piece = next();
        last = piece.last;
        impl_->send(context_id, DUL_DATASETPDV, piece.bytes, last);
    }
    impl_->channel.flush();
}

void Association::release()
{
    impl_->channel.begin(impl_->patience.association);
    impl_->check("cannot release the association with", ASC_releaseAssociation(impl_->association));
}

void Association::abort() noexcept
{
    impl_->channel.begin(std::chrono::seconds{1});
    impl_->channel.forget_failure();
    if (impl_->association != nullptr) {
        static_cast<void>(ASC_abortAssociation(impl_->association));
    }
    impl_->channel.try_flush();
    impl_->channel.transport().settle(Clock::now() + std::chrono::seconds{1});
}

int Association::fd() const noexcept
{
    return impl_->channel.transport().fd();
}

bool Association::has_input() const
{
    return wait_for_input(std::chrono::milliseconds{0});
}

bool Association::wait_for_input(std::chrono::milliseconds time) const
{
    return impl_->pdvs.has_pdv() || impl_->channel.readable_until(Clock::now() + time);
}

} // namespace dcmpipe::net
