#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Dates and ages of a data set (PS3.5 §6.2). Pure functions; several values stay joined by backslashes. Each
/// gives nothing where a value is none of the forms it knows: who cannot read a date cannot say that it is
/// harmless.
namespace dcmpipe::deid {

/// DA, moved `days` into the past. Knows YYYYMMDD, the old YYYY.MM.DD (which it keeps), and empty.
std::optional<std::string> shift_da(std::string_view values, int days);

/// DT, moved likewise: time, fraction and offset from UTC stay. A partial value (YYYY, YYYYMM) moves as the
/// middle of its period does.
std::optional<std::string> shift_dt(std::string_view values, int days);

/// AS, at most `most_years`: an age above becomes 090Y (HIPAA §164.514(b)(2)(i)(C)). Knows nnnD, nnnW, nnnM,
/// nnnY, and empty.
std::optional<std::string> cap_age(std::string_view values, int most_years = 89);

/// TM is one of the forms HH[MM[SS[.F...]]] or HH:MM:SS[.F...], or empty.
bool is_tm(std::string_view values);

/// A DA or DT cut to its year or month; the rest becomes 01, as the VR demands.
std::optional<std::string> truncate_da(std::string_view values, bool keep_month);

} // namespace dcmpipe::deid
