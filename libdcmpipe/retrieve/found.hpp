#pragma once

#include "retrieve/attributes.hpp"
#include "retrieve/cohort.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dcmpipe::retrieve {

struct FoundInstance {
    std::string uid;
    std::string sop_class_uid; ///< empty where the node does not say
};

/// A series that answers a row, as far as the node told.
struct FoundSeries {
    Attributes attributes{}; ///< of study and series
    std::string study_uid{};
    std::string series_uid{};
    std::optional<std::uint64_t> count{}; ///< of its instances, where the node says
    /// Criteria that no answer confirmed, for the node gave no value: the data sets must.
    std::vector<Criterion> unconfirmed{};
    /// The instances that are asked for, where they were asked for and the node knows.
    std::vector<FoundInstance> instances{};
    bool instances_known = false;
    bool some_instances_only = false; ///< a criterion was one of the image
};

} // namespace dcmpipe::retrieve
