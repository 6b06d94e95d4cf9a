#pragma once

#include "core/record.hpp"
#include "net/node.hpp"
#include "send/shipment.hpp"

#include <vector>

namespace dcmpipe::send {

/// What became of an instance at all nodes. Failed where one does not have it, with each reason behind its
/// node; skipped where all had it before.
Record record_of(const Shipment& shipment, const std::vector<net::Node>& nodes);

/// A record of what is to be sent.
Record record_of(const Item& item, Status status, const std::string& reason = {});

/// Every node has committed itself to it.
bool is_committed(const Shipment& shipment);

/// Deletes the file of an instance; false where it is no longer the one that was sent, or may not be deleted.
bool remove_source(const Item& item);

} // namespace dcmpipe::send
