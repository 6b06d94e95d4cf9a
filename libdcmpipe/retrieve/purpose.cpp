#include "retrieve/purpose.hpp"

#include "retrieve/forwarder.hpp"

#include <fmt/format.h>

namespace dcmpipe::retrieve {

Purpose to_save(SaveSettings settings)
{
    auto job = fmt::format("save {}", settings.connection.node.text());
    settings.connection.reached = true;
    return {.job = job, .make = [settings = std::move(settings), job]() -> std::unique_ptr<Worker> {
                const auto make_method = [&settings](Connection& connection) {
                    std::vector<std::unique_ptr<Method>> methods;
                    for (const auto operation : settings.operations) {
                        methods.push_back(
                            operation == Operation::Get
                                ? make_get(connection, settings.place)
                                : make_move(connection, settings.place, settings.move));
                    }
                    return make_first_offered(std::move(methods));
                };
                return std::make_unique<Fetcher>(
                    settings.connection, Journal{settings.journal, settings.place.root, job}, make_method,
                    settings.fetch);
            }};
}

Purpose to_forward(
    ConnectionSettings connection, std::optional<std::filesystem::path> journal, std::string destination)
{
    auto job = fmt::format("move {} {}", connection.node.text(), destination);
    connection.reached = true;
    return {
        .job = job,
        .make = [connection = std::move(connection), journal = std::move(journal),
                 destination = std::move(destination), job]() -> std::unique_ptr<Worker> {
            std::optional<Journal> opened;
            if (journal) {
                opened.emplace(*journal, "", job);
            }
            return std::make_unique<Forwarder>(connection, std::move(opened), destination);
        }};
}

} // namespace dcmpipe::retrieve
