#pragma once

#include "core/error.hpp"
#include "core/record.hpp"

#include <filesystem>
#include <functional>
#include <optional>

namespace dcmpipe::deid {

/// Where a batch's inputs come from and its results go to. Each may be called from any thread, one call at a
/// time; an exception from one of them ends the batch.
struct BatchEnds {
    std::function<std::optional<std::filesystem::path>()> next_input;
    std::function<bool()> input_is_ready; ///< next_input would not wait
    std::function<void(const Record&)> emit;
    std::function<void(const std::filesystem::path&, const Error&, Status)> fail;
    std::function<void(std::uint64_t items, std::uint64_t bytes)> progress;
};

} // namespace dcmpipe::deid
