#pragma once

#include "net/query_scu.hpp"
#include "retrieve/attributes.hpp"
#include "retrieve/cohort.hpp"
#include "retrieve/connection.hpp"

#include <cstdint>
#include <functional>
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

/// What a query met besides what it found.
struct FindTally {
    std::uint64_t studies = 0;
    std::uint64_t series = 0;
    std::uint64_t dropped = 0; ///< answers that do not fit what was asked
};

/// Asks a node what answers a row: by study, then by series below each study, then by image where that is
/// needed (PS3.4 §C.4.1.2, hierarchical), for nodes ignore keys of higher levels. Every answer is compared
/// with the row again. Not for sharing between threads.
class Finder {
public:
    Finder(Connection& connection, std::string character_set)
        : connection_(connection), character_set_(std::move(character_set))
    {
    }

    using OnSeries = std::function<void(FoundSeries)>;

    /// Throws Error{Peer} where the node cannot be reached; Error{Input} where it refuses the query, with
    /// the status: another row may fare better.
    FindTally find(const Row& row, bool with_instances, const OnSeries& on_series);

    /// Ends the association, if there is one.
    void release();

private:
    struct Query {
        Level level;
        Attributes keys;
    };

    std::vector<Attributes> studies(const Row& row, FindTally& tally);
    std::vector<FoundSeries> series(const Row& row, const Attributes& study, FindTally& tally);
    void add_instances(const Row& row, FoundSeries& series, FindTally& tally);
    std::vector<Attributes> ask(const Query& query);
    std::vector<Attributes> ask_once(const Query& query);

    Connection& connection_;
    std::string character_set_;
    std::optional<net::Association> association_{};
};

} // namespace dcmpipe::retrieve
