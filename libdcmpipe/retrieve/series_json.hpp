#pragma once

#include "net/instance_store.hpp"
#include "retrieve/crew.hpp"
#include "retrieve/found.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What a crew and its workers tell each other, one line of JSON each.
namespace dcmpipe::retrieve {

std::string json_of(const FoundSeries& series);
FoundSeries series_from_json(std::string_view line);

/// Of an instance, its size alone.
std::string json_of(const net::StoredInstance& instance);
/// Nothing where the line is none of an instance.
std::optional<net::StoredInstance> instance_from_json(std::string_view line);

std::string json_of(const Crew::Outcome& outcome);
Crew::Outcome outcome_from_json(std::string_view line);

} // namespace dcmpipe::retrieve
