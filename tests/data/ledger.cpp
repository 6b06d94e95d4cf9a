#include "ledger.hpp"

#include <array>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace studies {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 10> kinds{"name",  "id",   "date",        "time",   "address",
                                                 "phone", "text", "institution", "device", "uid"};

std::string hex(std::string_view bytes)
{
    std::string digits;
    for (const char c : bytes) {
        digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return digits;
}

void write_json(const std::filesystem::path& path, const Json& json)
{
    std::ofstream file{path, std::ios::binary};
    file << json.dump(1) << '\n';
    file.close();
    if (!file) {
        throw std::runtime_error{"cannot write " + path.string()};
    }
}

} // namespace

void Ledger::identity(std::string_view patient_id, const Value& value)
{
    if (known_.emplace(value.utf8, value.bytes).second) {
        identities_.emplace_back(patient_id, value);
    }
}

void Ledger::write(const std::filesystem::path& folder, std::uint64_t seed) const
{
    auto strings = Json::array();
    for (const auto& [patient_id, value] : identities_) {
        strings.push_back(
            {{"patient_id", patient_id},
             {"kind", kinds.at(static_cast<std::size_t>(value.kind))},
             {"keyword", value.keyword},
             {"utf8", value.utf8},
             {"hex", hex(value.bytes)},
             {"character_set", value.character_set ? Json(*value.character_set) : Json()}});
    }
    write_json(folder / "identities.json", {{"seed", seed}, {"strings", strings}});

    auto instances = Json::array();
    for (const auto& one : instances_) {
        instances.push_back(
            {{"path", one.path},
             {"what", one.what},
             {"patient_id", one.patient_id},
             {"study_uid", one.study_uid},
             {"series_uid", one.series_uid},
             {"instance_uid", one.instance_uid},
             {"sop_class_uid", one.sop_class_uid},
             {"transfer_syntax", one.transfer_syntax},
             {"references", one.references}});
    }
    write_json(folder / "manifest.json", {{"seed", seed}, {"instances", instances}});
}

} // namespace studies
