#include "net/witness.hpp"

#include "core/error.hpp"
#include "core/log.hpp"

namespace dcmpipe::net {

Witness::Witness(
    const std::optional<std::filesystem::path>& events, std::optional<std::filesystem::path> counters)
    : file_(std::move(counters))
{
    if (events) {
        events_.emplace(*events);
    }
    publish();
}

void Witness::hear(const Event& event)
{
    if (events_) {
        events_->push(event);
    }
    counters_.count(event);
}

void Witness::publish()
{
    if (events_) {
        events_->flush();
        counters_.set_lost_events(events_->lost());
    }
    if (file_ && Clock::now() >= next_) {
        next_ = Clock::now() + std::chrono::seconds{1};
        try {
            counters_.write(*file_);
        } catch (const Error& error) {
            log::error("{}", error.what());
        }
    }
}

void Witness::publish_last()
{
    next_ = {};
    publish();
}

void Witness::reopen()
{
    if (events_) {
        events_->reopen();
    }
}

void Witness::let_go()
{
    if (events_) {
        events_->let_go();
    }
}

} // namespace dcmpipe::net
