#pragma once

#include "cli/context.hpp"
#include "retrieve/cohort.hpp"
#include "retrieve/found.hpp"

namespace dcmpipe::cli {

/// Prints what a query found, a line each: a table, or records under --json. Members throw Error{Output},
/// ClosedPipe.
class FoundList {
public:
    /// `by_image`: each instance of a series has its line.
    FoundList(Context& context, bool by_image, bool dry_run);

    /// The header of the table.
    void begin() const;

    void add(const retrieve::Row& row, const retrieve::FoundSeries& series) const;

private:
    void add_one(
        const retrieve::Row& row, const retrieve::FoundSeries& series,
        const retrieve::FoundInstance* instance) const;

    Context& context_;
    bool json_;
    bool by_image_;
    bool dry_run_;
};

} // namespace dcmpipe::cli
