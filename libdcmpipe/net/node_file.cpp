#include "net/node_file.hpp"

#include "core/json_file.hpp"
#include "net/node.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace dcmpipe::net {

namespace {

using nlohmann::json;

enum class Part { Name, Aet, Address, Port, Permission, Enabled, Other };

struct Key {
    std::string_view name;
    Part part;
};

/// Ours, the seeds' and Orthanc's.
constexpr std::array<Key, 18> keys{
    {{"aet", Part::Aet},
     {"ae_title", Part::Aet},
     {"AET", Part::Aet},
     {"address", Part::Address},
     {"ip", Part::Address},
     {"ip_address", Part::Address},
     {"host", Part::Address},
     {"Host", Part::Address},
     {"port", Part::Port},
     {"Port", Part::Port},
     {"permission", Part::Permission},
     {"enabled", Part::Enabled},
     {"is_active", Part::Enabled},
     {"id", Part::Name},
     {"name", Part::Name},
     {"description", Part::Other},
     {"Manufacturer", Part::Other},
     {"is_reachable", Part::Other}}};

/// One node of the file.
class EntryReader {
public:
    EntryReader(const JsonText& text, std::string pointer, bool orthancs) : text_(text)
    {
        entry_.pointer = std::move(pointer);
        entry_.orthancs = orthancs;
    }

    NodeEntry read(const json& value)
    {
        if (entry_.orthancs && value.is_array() && value.size() >= 3) {
            constexpr std::array<Part, 3> parts{Part::Aet, Part::Address, Part::Port};
            for (std::size_t i = 0; i < parts.size(); ++i) {
                take(parts.at(i), std::to_string(i), value[i]);
            }
        } else if (value.is_object()) {
            for (const auto& [key, member] : value.items()) {
                const auto* const known = std::find_if(
                    keys.begin(), keys.end(), [&name = key](const Key& k) { return k.name == name; });
                if (known == keys.end() && !entry_.orthancs) {
                    fail(key, "a node has no such key");
                }
                take(known != keys.end() ? known->part : Part::Other, key, member);
            }
        } else {
            fail({}, "a node is an object");
        }
        if (entry_.aet.empty()) {
            fail({}, "the node has no aet");
        }
        return std::move(entry_);
    }

private:
    void take(Part part, const std::string& key, const json& member)
    {
        switch (part) {
        case Part::Name:
            entry_.names.push_back(text_or_number(key, member));
            break;
        case Part::Aet:
            entry_.aet = text(key, member);
            if (!is_valid_aet(entry_.aet)) {
                fail(key, "the AE title has 1 to 16 printable ASCII characters and no backslash");
            }
            break;
        case Part::Address:
            take_addresses(key, member);
            break;
        case Part::Port:
            entry_.port = text_or_number(key, member);
            break;
        case Part::Permission:
            entry_.permission = text(key, member);
            break;
        case Part::Enabled:
            if (!member.is_boolean()) {
                fail(key, "neither true nor false");
            }
            entry_.enabled = entry_.enabled && member.get<bool>();
            break;
        case Part::Other:
            break;
        }
    }

    void take_addresses(const std::string& key, const json& member)
    {
        if (member.is_array() && member.empty()) {
            fail(key, "no address is none from which it may call: leave the key out, or disable the node");
        }
        for (const auto& one : member.is_array() ? member : json::array({member})) {
            entry_.addresses.push_back(text(key, one));
        }
    }

    std::string text(const std::string& key, const json& member) const
    {
        if (!member.is_string() || member.get_ref<const std::string&>().empty()) {
            fail(key, "not a text");
        }
        return member.get<std::string>();
    }

    std::string text_or_number(const std::string& key, const json& member) const
    {
        return member.is_number_integer() ? member.dump() : text(key, member);
    }

    [[noreturn]] void fail(std::string_view key, std::string_view reason) const
    {
        text_.fail(entry_.pointer + (key.empty() ? "" : "/") + std::string{key}, reason);
    }

    const JsonText& text_;
    NodeEntry entry_{};
};

} // namespace

struct NodeFile::Impl {
    JsonText text;
    std::vector<NodeEntry> entries{};
};

NodeFile::NodeFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeFile::NodeFile(NodeFile&&) noexcept = default;
NodeFile::~NodeFile() = default;

NodeFile NodeFile::read(const std::filesystem::path& path)
{
    NodeFile file{std::make_unique<Impl>(Impl{JsonText::from_file("the nodes file", path)})};
    const auto& text = file.impl_->text;
    const auto& root = text.root();
    bool found = false;
    for (const std::string_view list : {"nodes", "DicomModalities"}) {
        const auto nodes = root.is_object() ? root.find(list) : root.end();
        if (nodes == root.end() || !(nodes->is_array() || nodes->is_object())) {
            continue;
        }
        found = true;
        for (const auto& [key, value] : nodes->items()) {
            const auto pointer = "/" + std::string{list} + "/" + key;
            auto entry = EntryReader{text, pointer, list == "DicomModalities"}.read(value);
            if (nodes->is_object()) {
                entry.names.push_back(key);
            }
            file.impl_->entries.push_back(std::move(entry));
        }
    }
    if (!found) {
        text.fail("", "it has no nodes, as an array or an object");
    }
    return file;
}

const std::vector<NodeEntry>& NodeFile::entries() const
{
    return impl_->entries;
}

void NodeFile::fail(const NodeEntry& entry, std::string_view key, std::string_view reason) const
{
    impl_->text.fail(entry.pointer + (key.empty() ? "" : "/") + std::string{key}, reason);
}

} // namespace dcmpipe::net
