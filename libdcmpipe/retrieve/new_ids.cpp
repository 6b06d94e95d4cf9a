#include "retrieve/new_ids.hpp"

#include "core/json_file.hpp"
#include "core/output_file.hpp"

#include <nlohmann/json.hpp>

namespace dcmpipe::retrieve {

void NewIds::add(const std::string& patient_id, const std::string& code)
{
    const auto known = codes_.find(patient_id);
    if (known != codes_.end() && known->second == code) {
        return;
    }
    auto all = std::filesystem::exists(path_) ? read_json_file("the codes", path_) : nlohmann::json::object();
    all["sub-" + patient_id] = code;
    write_text_file(path_, all.dump(4) + "\n", 0600);
    codes_.insert_or_assign(patient_id, code);
}

} // namespace dcmpipe::retrieve
