#include "retrieve/purpose.hpp"

#include "core/error.hpp"
#include "retrieve/forwarder.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace dcmpipe::retrieve {

void adopt(const Profile& profile, RunSettings& run)
{
    auto& find = run.find;
    find.character_set = profile.character_set.value_or(find.character_set);
    find.answer_character_set = profile.answer_character_set.value_or(find.answer_character_set);
    find.most_answers = profile.most_answers.value_or(find.most_answers);
    find.relational = profile.relational.value_or(find.relational);
    find.lists_images = profile.lists_images.value_or(find.lists_images);
    find.takes_wildcards = profile.wildcards.value_or(find.takes_wildcards);
    run.parallel = std::max(profile.parallel.value_or(run.parallel), 1U);
    run.connection.gap = profile.gap.value_or(run.connection.gap);
}

void adopt(const Profile& profile, SaveSettings& save)
{
    save.operations = profile.operations;
    if (save.operations.empty()) {
        save.operations = {save.move.port != 0 ? Operation::Move : Operation::Get};
    }
    const auto& all = save.operations;
    if (save.move.port == 0 && std::find(all.begin(), all.end(), Operation::Move) != all.end()) {
        throw Error{ErrorKind::Usage, "C-MOVE to ourselves needs --move-port"};
    }
    save.move.linger = profile.linger.value_or(save.move.linger);
    save.move.patient_level = profile.patient_level.value_or(save.move.patient_level);
    save.fetch.most_uids = profile.most_uids.value_or(save.fetch.most_uids);
}

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
