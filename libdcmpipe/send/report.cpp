#include "send/report.hpp"

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "core/utc_time.hpp"
#include "send/verdict.hpp"

#include <fcntl.h>

#include <nlohmann/json.hpp>

namespace dcmpipe::send {

namespace {

using Outcome = Delivery::Outcome;

std::string status_of(const Delivery& delivery)
{
    switch (delivery.outcome) {
    case Outcome::Sent:
        return "ok";
    case Outcome::SentBefore:
        return "skipped";
    case Outcome::Failed:
        break;
    }
    return "failed";
}

} // namespace

TableReport::TableReport(std::filesystem::path path, const std::vector<net::Node>& nodes)
    : path_(std::move(path)),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640))
{
    if (!fd_) {
        throw Error::from_errno(ErrorKind::Output, "cannot write", path_.string());
    }
    for (const auto& node : nodes) {
        nodes_.push_back(node.text());
    }
    write_all(
        fd_.get(),
        csv_line(
            {"path", "entry", "node", "status", "reason", "warning", "committed", "SOPClassUID",
             "SOPInstanceUID", "TransferSyntaxUID", "bytes"}),
        path_);
}

void TableReport::add(const Shipment& shipment)
{
    const auto& item = shipment.item;
    std::string lines;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const auto& delivery = shipment.deliveries().at(i);
        lines += csv_line(
            {item.path.string(), item.entry ? std::to_string(*item.entry) : "", nodes_[i],
             status_of(delivery), delivery.reason, delivery.warned ? describe(delivery.status) : "",
             delivery.committed ? "yes" : "no", item.sop_class_uid, item.instance_uid, item.transfer_syntax,
             std::to_string(item.size)});
    }
    write_all(fd_.get(), lines, path_);
}

RunTally::RunTally(const std::vector<net::Node>& to) : started(utc_now())
{
    for (const auto& node : to) {
        nodes.push_back({.node = node.text()});
    }
}

void RunTally::add(const Shipment& shipment)
{
    ++instances;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto& delivery = shipment.deliveries().at(i);
        auto& tally = nodes[i];
        if (delivery.outcome == Outcome::Failed) {
            ++tally.failed;
            ++tally.reasons[delivery.reason];
            continue;
        }
        const bool now = delivery.outcome == Outcome::Sent;
        ++(now ? tally.sent : tally.sent_before);
        tally.bytes += now ? shipment.item.size : 0;
        if (delivery.warned) {
            ++tally.warnings[describe(delivery.status)];
        }
        tally.committed += delivery.committed ? 1 : 0;
    }
}

void write_summary(const std::filesystem::path& path, const RunTally& tally)
{
    using Json = nlohmann::ordered_json;
    Json nodes = Json::array();
    for (const auto& node : tally.nodes) {
        Json one{{"node", node.node},         {"sent", node.sent},      {"skipped", node.sent_before},
                 {"failed", node.failed},     {"bytes", node.bytes},    {"committed", node.committed},
                 {"warnings", node.warnings}, {"reasons", node.reasons}};
        if (node.given_up) {
            one["given_up"] = *node.given_up;
        }
        nodes.push_back(std::move(one));
    }
    const Json json{{"started", tally.started},     {"ended", utc_now()},
                    {"instances", tally.instances}, {"unread", tally.unread},
                    {"kept_back", tally.kept_back}, {"nodes", std::move(nodes)}};
    write_text_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

} // namespace dcmpipe::send
