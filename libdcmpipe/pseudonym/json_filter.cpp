#include "pseudonym/json_filter.hpp"

#include "core/error.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

#include <map>
#include <optional>

#include <nlohmann/json.hpp>

namespace dcmpipe::pseudonym {

namespace tags = dicom::tags;
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
            return original_uid(text);
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

    std::optional<std::string> original_uid(const std::string& uid)
    {
        if (const auto study = revealer_.study_originals(uid)) {
            return text_of(*study, tags::StudyInstanceUID);
        }
        if (const auto instance = revealer_.originals(uid, uid)) {
            return text_of(*instance, tags::SOPInstanceUID);
        }
        return std::nullopt;
    }

    static std::optional<std::string> text_of(const RecalledOriginals& originals, dicom::Tag tag)
    {
        auto text = original_text(originals, tag);
        return text.empty() ? std::nullopt : std::optional{std::move(text)};
    }

    Revealer& revealer_;
    std::map<std::string, Json> patients_; ///< null where a text is no code
};

} // namespace

std::string restore_json(std::string_view text, Revealer& revealer)
{
    auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        throw Error{ErrorKind::Input, "cannot read a line of stdin: not JSON"};
    }
    Filter{revealer}.restore(json, {});
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace dcmpipe::pseudonym
