#include "send/line.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "net/store_scu.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::send {

net::Association call(
    const net::Node& node, const CallSettings& settings, const std::vector<net::ProposedContext>& contexts)
{
    const auto until = net::Clock::now() + settings.patience.association;
    return net::Association::request(
        net::connect(node, settings.tls.get(), until), {.calling_aet = settings.aet,
                                                        .called_aet = node.aet,
                                                        .max_pdu = settings.max_pdu,
                                                        .patience = settings.patience,
                                                        .contexts = contexts,
                                                        .user = settings.user,
                                                        .passcode = settings.passcode});
}

Pairs choose_pairs(const Pair& now, const Pairs& open, const Pairs& wanted)
{
    Pairs chosen{now};
    for (const auto* more : {&wanted, &open}) {
        for (const auto& pair : *more) {
            if (chosen.size() < most_contexts) {
                chosen.insert(pair);
            }
        }
    }
    return chosen;
}

void Line::open_for(const Pair& pair, const Queue& queue)
{
    if (open_.count(pair) != 0) {
        return;
    }
    auto pairs = choose_pairs(pair, open_, queue.wanted());
    hang_up();
    std::vector<net::ProposedContext> contexts;
    for (const auto& [sop_class, syntax] : pairs) {
        contexts.push_back({sop_class, {syntax}});
    }
    association_.emplace(call(node_, settings_, contexts));
    open_ = std::move(pairs);
    message_id_ = 0;
}

const net::Context* Line::context_for(const Pair& pair) const noexcept
{
    const auto& all = association_->contexts();
    const auto found = std::find_if(all.begin(), all.end(), [&](const net::Context& context) {
        return context.abstract_syntax == pair.first && context.transfer_syntax == pair.second;
    });
    return found != all.end() ? &*found : nullptr;
}

std::string Line::refusal_of(const Pair& pair) const
{
    if (context_for(pair) != nullptr) {
        return {};
    }
    const auto& all = association_->refused();
    const auto found = std::find_if(all.begin(), all.end(), [&](const net::RefusedContext& context) {
        return context.abstract_syntax == pair.first && context.transfer_syntax == pair.second;
    });
    return fmt::format(
        "no presentation context for SOP class {} in transfer syntax {}: {}", pair.first, pair.second,
        found != all.end() ? found->reason : "it accepted another transfer syntax than was proposed");
}

std::uint16_t Line::store(const Item& item, DataSetFile& data_set, Throttle& throttle)
{
    message_id_ = static_cast<std::uint16_t>(message_id_ == 0xffff ? 1 : message_id_ + 1);
    return net::store(*association_, *context_for(pair_of(item)), message_id_, item.instance_uid, [&] {
        const auto piece = data_set.next();
        throttle.spend(piece.bytes.size());
        return piece;
    });
}

void Line::hang_up() noexcept
try {
    open_.clear();
    if (association_) {
        association_->release();
        association_.reset();
    }
} catch (const Error& error) {
    log::debug("{}", error.what());
    association_.reset();
}

void Line::drop() noexcept
{
    open_.clear();
    if (association_) {
        association_->abort();
        association_.reset();
    }
}

} // namespace dcmpipe::send
