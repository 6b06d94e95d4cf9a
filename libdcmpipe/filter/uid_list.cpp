#include "filter/uid_list.hpp"

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dcmpipe::filter {

namespace fs = std::filesystem;

namespace {

using Uids = std::set<std::string>;

struct Level {
    std::string_view key;
    dicom::Tag tag;
};

constexpr std::array<Level, 3> levels{
    {{"studies", dicom::tags::StudyInstanceUID},
     {"series", dicom::tags::SeriesInstanceUID},
     {"instances", dicom::tags::SOPInstanceUID}}};

std::array<Uids, 3> from_json(const fs::path& file, std::string_view text)
{
    const auto json = JsonText::from_text("the UID list", file.string(), text);
    std::array<Uids, 3> uids;
    for (const auto& [key, list] : json.root().items()) {
        const auto* const level = std::find_if(
            levels.begin(), levels.end(), [&key = key](const Level& one) { return one.key == key; });
        if (level == levels.end() || !list.is_array()) {
            json.fail("/" + key, "must be 'studies', 'series' or 'instances' with a list of UIDs");
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (!list[i].is_string() || !dicom::uid::is_valid(list[i].get<std::string>())) {
                json.fail(fmt::format("/{}/{}", key, i), "must be a UID");
            }
            uids.at(static_cast<std::size_t>(level - levels.begin())).insert(list[i].get<std::string>());
        }
    }
    return uids;
}

Uids from_lines(const fs::path& file, std::string_view text)
{
    Uids uids;
    std::size_t number = 0;
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        auto line = text.substr(start, end - start);
        line = line.substr(0, line.find('#'));
        const auto first = std::min(line.find_first_not_of(" \t\r"), line.size());
        line = line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
        ++number;
        start = end + 1;
        if (line.empty()) {
            continue;
        }
        if (!dicom::uid::is_valid(line)) {
            throw Error{
                ErrorKind::Usage, "cannot read the UID list", file.string(),
                fmt::format("line {}: not a UID", number)};
        }
        uids.emplace(line);
    }
    return uids;
}

std::string text_of(const fs::path& file)
{
    try {
        return read_text_file(file);
    } catch (const Error& error) {
        throw Error{ErrorKind::Usage, "cannot read the UID list", file.string(), error.reason()};
    }
}

} // namespace

Condition::Term uids_of(const fs::path& file)
{
    const auto text = text_of(file);
    const auto first = text.find_first_not_of(" \t\r\n");
    std::array<Uids, 3> uids;
    if (first != text.npos && text[first] == '{') {
        uids = from_json(file, text);
    } else {
        uids.fill(from_lines(file, text));
    }
    // UIDs are unique across levels (PS3.5 §9): one set for all asks the same as a set a level.
    Uids all;
    Condition::Term term;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (!uids.at(i).empty()) {
            term.where.emplace_back(levels.at(i).tag);
            all.merge(uids.at(i));
        }
    }
    term.any.push_back(one_of(std::move(all)));
    return term;
}

} // namespace dcmpipe::filter
