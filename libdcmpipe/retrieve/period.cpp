#include "retrieve/period.hpp"

#include "dicom/tags.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

namespace tags = dicom::tags;
namespace chrono = std::chrono;

namespace {

int number(std::string_view digits)
{
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

/// `YYYYMMDD`, which was checked.
int day_from(std::string_view text)
{
    const chrono::year_month_day date{
        chrono::year{number(text.substr(0, 4))},
        chrono::month(static_cast<unsigned>(number(text.substr(4, 2)))),
        chrono::day(static_cast<unsigned>(number(text.substr(6, 2))))};
    return static_cast<int>(chrono::sys_days{date}.time_since_epoch().count());
}

std::string text_of(int day)
{
    const chrono::year_month_day date{chrono::sys_days{chrono::days{day}}};
    return fmt::format(
        "{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()));
}

} // namespace

Period Period::of(const Row& row)
{
    std::string_view first = "19000101";
    std::string_view last = "20991231";
    Period period;
    for (const auto& criterion : row.criteria) {
        period.by_minute_ = period.by_minute_ && criterion.tag != tags::StudyTime;
        if (criterion.tag == tags::StudyDate) {
            const std::string_view key = criterion.key;
            const auto dash = key.find('-');
            const auto begin = key.substr(0, dash);
            const auto end = dash == key.npos ? key : key.substr(dash + 1);
            first = begin.empty() ? std::min(first, end) : begin;
            last = end.empty() ? std::max(last, begin) : end;
        }
    }
    period.first_day_ = day_from(first);
    period.last_day_ = day_from(last);
    return period;
}

std::optional<std::pair<Period, Period>> Period::halves() const
{
    auto one = *this;
    auto other = *this;
    if (first_day_ < last_day_) {
        one.last_day_ = first_day_ + (last_day_ - first_day_) / 2;
        other.first_day_ = one.last_day_ + 1;
    } else if (by_minute_ && first_minute_ < last_minute_) {
        one.last_minute_ = first_minute_ + (last_minute_ - first_minute_) / 2;
        other.first_minute_ = one.last_minute_ + 1;
    } else {
        return std::nullopt;
    }
    return std::pair{one, other};
}

void Period::put_into(Attributes& keys) const
{
    const auto first = text_of(first_day_);
    keys[tags::StudyDate] = first_day_ == last_day_ ? first : first + "-" + text_of(last_day_);
    if (first_minute_ > 0 || last_minute_ < last_minute_of_day) {
        keys[tags::StudyTime] = fmt::format(
            "{:02}{:02}00-{:02}{:02}59.999999", first_minute_ / 60, first_minute_ % 60, last_minute_ / 60,
            last_minute_ % 60);
    }
}

bool Period::may_hold(const Attributes& answer) const
{
    std::string date{value_of(answer, tags::StudyDate)};
    std::erase(date, '.');
    return date.empty() || (date >= text_of(first_day_) && date <= text_of(last_day_));
}

} // namespace dcmpipe::retrieve
