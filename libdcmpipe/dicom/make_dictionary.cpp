/// \file make_dictionary: a build step. Prints DCMTK's dictionary: the public attributes as rows of the table
/// that dictionary.cpp includes (`table`) or as the header dicom/tags.hpp (`tags`), the private ones as rows
/// of the table that private_dictionary.cpp includes (`private`).

#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdicent.h>
#include <dcmtk/dcmdata/dcdict.h>

#include <fmt/format.h>

namespace {

struct Row {
    std::uint32_t tag;
    std::uint32_t mask; ///< bits that a tag must share; all ones but for repeating groups
    std::string vr;
    std::string keyword;
};

/// DCMTK has VRs of its own for attributes that PS3.6 gives several.
std::string standard_vr(const DcmDictEntry& entry)
{
    static const std::map<std::string, std::string> several{
        {"xs", "US"}, {"lt", "OW"}, {"ox", "OW"}, {"px", "OW"}, {"up", "UL"}, {"na", ""}, {"??", "UN"}};
    const std::string vr = entry.getVR().getVRName();
    const auto found = several.find(vr);
    return found == several.end() ? vr : found->second;
}

std::uint32_t tag_of(const DcmDictEntry& entry)
{
    return static_cast<std::uint32_t>(entry.getGroup()) << 16U | entry.getElement();
}

/// Even numbers only in (50xx,eeee): the lowest bit of the group stays significant.
std::uint32_t mask_of(const DcmDictEntry& entry)
{
    const auto differ = [](unsigned lower, unsigned upper) { return lower == upper ? 0xffffU : 0xff01U; };
    return differ(entry.getGroup(), entry.getUpperGroup()) << 16U |
           (entry.getElement() == entry.getUpperElement() ? 0xffffU : 0xff00U);
}

template <class Iterator>
void collect(std::map<std::pair<std::uint32_t, std::uint32_t>, Row>& rows, Iterator begin, Iterator end)
{
    for (auto entry = begin; entry != end; ++entry) {
        const DcmDictEntry& found = **entry;
        const auto vr = standard_vr(found);
        const bool is_public = found.getPrivateCreator() == nullptr && found.getGroup() % 2 == 0;
        const bool delimiter = found.getGroup() == 0xfffe;
        const bool generic = found.getElement() == 0 || std::strncmp(found.getTagName(), "Unknown", 7) == 0;
        if (is_public && !delimiter && !generic && !vr.empty()) {
            const Row row{tag_of(found), mask_of(found), vr, found.getTagName()};
            // Of several names for a tag the current one comes first, RETIRED_ ones after it.
            rows.try_emplace({row.tag, ~row.mask}, row);
        }
    }
}

std::map<std::pair<std::uint32_t, std::uint32_t>, Row> read_dictionary()
{
    std::map<std::pair<std::uint32_t, std::uint32_t>, Row> rows;
    auto& dictionary = dcmDataDict.wrlock();
    collect(rows, dictionary.normalBegin(), dictionary.normalEnd());
    collect(rows, dictionary.repeatingBegin(), dictionary.repeatingEnd());
    dcmDataDict.wrunlock();
    return rows;
}

/// Rows by group, element within the block and creator. Creators that want escapes in a C++ text are left
/// out.
void print_private()
{
    std::map<std::tuple<unsigned, unsigned, std::string>, std::string> rows;
    auto& dictionary = dcmDataDict.wrlock();
    const auto collect_private = [&](auto begin, auto end) {
        for (auto entry = begin; entry != end; ++entry) {
            const DcmDictEntry& found = **entry;
            const char* const creator = found.getPrivateCreator();
            const auto vr = standard_vr(found);
            const bool one = found.getGroup() == found.getUpperGroup();
            if (creator != nullptr && one && !vr.empty() && std::strpbrk(creator, "\"\\") == nullptr) {
                rows.try_emplace({found.getGroup(), found.getElement() & 0xffU, creator}, vr);
            }
        }
    };
    collect_private(dictionary.normalBegin(), dictionary.normalEnd());
    collect_private(dictionary.repeatingBegin(), dictionary.repeatingEnd());
    dcmDataDict.wrunlock();
    for (const auto& [key, vr] : rows) {
        const auto& [group, element, creator] = key;
        fmt::print("{{\"{}\", {:#06x}, {:#04x}, vr::{}}},\n", creator, group, element, vr);
    }
}

/// PS3.6 has no prefix for retired attributes; DCMTK does.
std::string keyword(const Row& row)
{
    for (const std::string prefix : {"RETIRED_", "ACR_NEMA_"}) {
        if (row.keyword.rfind(prefix, 0) == 0) {
            return row.keyword.substr(prefix.size());
        }
    }
    return row.keyword;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2 || !dcmDataDict.isDictionaryLoaded()) {
        fmt::print(stderr, "make_dictionary: error: DCMTK's dictionary is not there (is DCMDICTPATH set?)\n");
        return 1;
    }
    if (std::strcmp(argv[1], "private") == 0) {
        print_private();
        return 0;
    }
    const bool tags = std::strcmp(argv[1], "tags") == 0;
    if (tags) {
        fmt::print("#pragma once\n\n#include \"dicom/tag.hpp\"\n\n"
                   "/// The attributes of PS3.6 by their keywords.\nnamespace dcmpipe::dicom::tags {{\n");
    }
    for (const auto& [key, row] : read_dictionary()) {
        if (!tags) {
            fmt::print(
                "{{Tag{{{:#010x}}}, {:#010x}, vr::{}, \"{}\"}},\n", row.tag, row.mask, row.vr, keyword(row));
        } else if (row.mask == 0xffffffffU) {
            fmt::print("inline constexpr Tag {}{{{:#010x}}};\n", keyword(row), row.tag);
        }
    }
    if (tags) {
        fmt::print("}} // namespace dcmpipe::dicom::tags\n");
    }
    return 0;
}
