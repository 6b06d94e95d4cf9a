#pragma once

#include "retrieve/attributes.hpp"
#include "retrieve/cohort.hpp"

#include <optional>
#include <utility>

namespace dcmpipe::retrieve {

/// A stretch of days, or of the minutes of one day, by when a study was begun: where a node cuts its answers
/// off, halves of what was asked find the rest. A value.
class Period {
public:
    /// What the row's Study Date leaves open: 1900 to 2099 where it names no date. One with a Study Time of
    /// its own is not split below a day.
    static Period of(const Row& row);

    /// Nothing for a minute, or a day that is not to be split.
    std::optional<std::pair<Period, Period>> halves() const;

    /// Narrows a query to it.
    void put_into(Attributes& keys) const;

    /// False where the answer names a Study Date that is none of these days: the node does not look at it.
    bool may_hold(const Attributes& answer) const;

private:
    static constexpr int last_minute_of_day = 24 * 60 - 1;

    int first_day_ = 0; ///< since 1970
    int last_day_ = 0;
    int first_minute_ = 0; ///< of the day
    int last_minute_ = last_minute_of_day;
    bool by_minute_ = true;
};

} // namespace dcmpipe::retrieve
