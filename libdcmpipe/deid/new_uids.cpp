#include "deid/new_uids.hpp"

namespace dcmpipe::deid {

std::string NewUids::of(std::string_view original)
{
    {
        const std::lock_guard lock{mutex_};
        if (const auto found = known_.find(original); found != known_.end()) {
            return found->second;
        }
    }
    auto uid = key_.uid(original);
    const std::lock_guard lock{mutex_};
    if (known_.size() >= most) {
        known_.clear();
    }
    known_.emplace(original, uid);
    return uid;
}

} // namespace dcmpipe::deid
