#include "retrieve/breaker.hpp"

#include "core/log.hpp"

namespace dcmpipe::retrieve {

void Breaker::succeeded() noexcept
{
    in_a_row_ = 0;
    opened_ = 0;
}

void Breaker::failed(const Error& error)
{
    constexpr unsigned enough = 3;
    if (++in_a_row_ < enough) {
        return;
    }
    const auto tries = connection_.settings().retries;
    if (++opened_ > tries) {
        throw Error{error};
    }
    log::warning("the node failed {} times in a row: waiting until it answers C-ECHO", in_a_row_);
    for (unsigned retry = 1; retry <= tries; ++retry) {
        connection_.pause(retry);
        if (connection_.answers()) {
            in_a_row_ = enough - 1; // the next failure is one too many
            return;
        }
    }
    throw Error{error};
}

} // namespace dcmpipe::retrieve
