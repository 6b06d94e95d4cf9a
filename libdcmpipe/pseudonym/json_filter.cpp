#include "pseudonym/json_filter.hpp"

#include "core/error.hpp"
#include "dicom/uid.hpp"

#include <istream>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

using Json = nlohmann::ordered_json;

namespace {

class Filter {
public:
    explicit Filter(Revealer& revealer) : revealer_(revealer) {}

    void restore(Json& value, const std::string& key)
    {
        if (value.is_object()) {
            for (auto& [name, member] : value.items()) {
                // DICOM's own JSON model puts values one level down (PS3.18 §F.2).
                const bool wrapper = name == "Value" || name == "Alphabetic";
                restore(member, wrapper ? key : name);
            }
        } else if (value.is_array()) {
            for (auto& member : value) {
                restore(member, key);
            }
        } else if (value.is_string()) {
            if (const auto original = original_of(value.get<std::string>(), key)) {
                value = *original;
            }
        }
    }

private:
    std::optional<std::string> original_of(const std::string& text, const std::string& key)
    {
        if (dicom::uid::is_valid(text) && text.find('.') != std::string::npos) {
            return revealer_.original_uid(text);
        }
        const auto* const who = patient_of(text);
        if (who == nullptr) {
            return std::nullopt;
        }
        const bool name = key == "PatientName" || key == "00100010";
        const auto found = who->find(name ? "PatientName" : "PatientID");
        return found != who->end() && found->is_string() ? std::optional{found->get<std::string>()}
                                                         : std::nullopt;
    }

    /// Null for a text that is nobody's code.
    const Json* patient_of(const std::string& text)
    {
        const auto [entry, is_new] = patients_.try_emplace(text);
        if (is_new && revealer_.knows_code(text)) {
            entry->second = Json::parse(revealer_.by_code(text));
        }
        return entry->second.is_object() ? &entry->second : nullptr;
    }

    Revealer& revealer_;
    std::map<std::string, Json> patients_; ///< null where a text is no code
};

} // namespace

bool restore_json(std::istream& from, Revealer& revealer, std::string& restored)
{
    if ((from >> std::ws).eof()) {
        return false;
    }
    Json json;
    try {
        from >> json;
    } catch (const Json::exception&) {
        // What it says would show the text.
        throw Error{ErrorKind::Input, "cannot read stdin: not JSON"};
    }
    Filter{revealer}.restore(json, {});
    restored = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return true;
}

} // namespace dcmpipe::pseudonym
