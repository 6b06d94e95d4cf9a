#pragma once

#include <cstddef>
#include <functional>

namespace dcmpipe {

/// Calls `work` for each number below `count` on up to `jobs` threads (0: one a core), in no order, and
/// returns when all are done. After an exception no more are begun, and the first one is thrown again.
void for_each_index(std::size_t count, unsigned jobs, const std::function<void(std::size_t index)>& work);

} // namespace dcmpipe
