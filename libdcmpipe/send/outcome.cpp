#include "send/outcome.hpp"

#include "send/verdict.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

namespace dcmpipe::send {

using Outcome = Delivery::Outcome;

Record record_of(const Item& item, Status status, const std::string& reason)
{
    Record record{item.path, status, reason};
    if (item.entry) {
        record.set("entry", static_cast<std::int64_t>(*item.entry));
    }
    record.set("SOPInstanceUID", item.instance_uid).set("bytes", static_cast<std::int64_t>(item.size));
    return record;
}

Record record_of(const Shipment& shipment, const std::vector<net::Node>& nodes)
{
    std::int64_t sent = 0;
    std::string reasons;
    std::string warnings;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto& delivery = shipment.deliveries().at(i);
        const auto add = [&](std::string& list, const std::string& text) {
            list += fmt::format("{}{}: {}", list.empty() ? "" : "; ", nodes[i].text(), text);
        };
        if (delivery.outcome == Outcome::Failed) {
            add(reasons, delivery.reason);
        } else if (delivery.warned) {
            add(warnings, describe(delivery.status));
        }
        sent += delivery.outcome == Outcome::Sent ? 1 : 0;
    }
    const auto status = !reasons.empty() ? Status::Failed : sent > 0 ? Status::Ok : Status::Skipped;
    auto record = record_of(shipment.item, status, reasons);
    record.set("sent", sent).set("committed", is_committed(shipment));
    if (!warnings.empty()) {
        record.set("warning", warnings);
    }
    return record;
}

bool is_committed(const Shipment& shipment)
{
    const auto& all = shipment.deliveries();
    return std::all_of(all.begin(), all.end(), [](const Delivery& delivery) { return delivery.committed; });
}

bool remove_source(const Item& item)
{
    struct stat status {};
    return ::lstat(item.path.c_str(), &status) == 0 && stamp_of(status) == item.stamp &&
           ::unlink(item.path.c_str()) == 0;
}

} // namespace dcmpipe::send
