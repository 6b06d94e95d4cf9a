#pragma once

#include "net/association.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What to propose for C-GET: the operation, and storage to us.
namespace dcmpipe::retrieve {

/// The contexts for these SOP classes, or, where that is empty, for what a series of this modality may hold
/// and as many other classes as fit. Each transfer syntax has a context of its own as far as they reach
/// (128), so that the node can send every instance as it holds it. Attempts 0, 1 and so on propose others.
std::vector<net::ProposedContext> contexts_for_get(
    const std::set<std::string>& sop_classes, std::string_view modality, unsigned attempt = 0);

} // namespace dcmpipe::retrieve
