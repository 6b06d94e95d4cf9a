#pragma once

#include "net/query_scu.hpp"
#include "retrieve/attributes.hpp"
#include "retrieve/connection.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace dcmpipe::retrieve {

/// How a node is asked.
struct FindSettings {
    std::string character_set = "ISO_IR 192"; ///< of query values beyond ASCII
    std::string answer_character_set{};       ///< of answers that name none
    std::uint64_t most_answers = 0;           ///< it gives no more to one query; 0: not known
    /// It looks at keys of the study in a query for series (PS3.4 §C.4.1.3.2), also where it does not say so.
    bool relational = false;
    bool ask_for_relational = false; ///< and where it agrees to, it is asked so
    bool lists_images = true;        ///< it answers at image level
    bool takes_wildcards = true;     ///< else such keys are sent empty, and answers are compared here
};

struct Query {
    Level level;
    Attributes keys;
};

/// A7xx: out of resources, or too many would match.
bool is_out_of_resources(std::uint16_t status) noexcept;

/// Asks a node by C-FIND, over one association that it keeps and renews. Not for sharing between threads.
class Asker {
public:
    Asker(Connection& connection, FindSettings settings)
        : connection_(connection), settings_(std::move(settings))
    {
    }

    /// False where the answer was there before.
    using OnAnswer = std::function<bool(Attributes)>;

    /// Where the node breaks off it is asked again, and what it answered before comes again. Any status is an
    /// outcome. One that gives the same answers again and again is told to cancel, and that is Error{Input}.
    /// Throws Error{Peer} where the node cannot be reached or breaks off again and again, Error{Cancelled}
    /// once a signal asked to stop, after the node was told.
    net::QueryOutcome ask(const Query& query, const OnAnswer& on_answer);

    /// Whether a query for series may name keys of the study. May make an association, and throw as ask().
    bool is_relational();

    /// Ends the association, if there is one.
    void release();

    const FindSettings& settings() const { return settings_; }
    std::string node() const { return connection_.settings().node.text(); }

private:
    net::Association& association();
    /// `again`: what it answered before comes again.
    net::QueryOutcome ask_once(const Query& query, const OnAnswer& on_answer, bool again);

    Connection& connection_;
    FindSettings settings_;
    std::optional<net::Association> association_{};
};

} // namespace dcmpipe::retrieve
