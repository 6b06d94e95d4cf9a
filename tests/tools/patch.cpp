/// \file patch: changes a file through our Rewriter, for others to judge the result.
///
/// patch IN OUT [remove ELEMENT | replace ELEMENT VALUE | insert PARENT TAG VR VALUE]...
///
/// ELEMENT and PARENT are numbers of elements of the data set in the order of index-dump; PARENT `-` is the
/// data set itself. TAG is eight digits.

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "dicom/inflate.hpp"
#include "dicom/instance.hpp"
#include "dicom/rewriter.hpp"

#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace dcmpipe;
using dicom::ElementIndex;

std::uint32_t element_from(const std::string& word)
{
    return word == "-" ? ElementIndex::None : static_cast<std::uint32_t>(std::stoul(word));
}

dicom::Tag tag_from(const std::string& word)
{
    return dicom::Tag{static_cast<std::uint32_t>(std::stoul(word, nullptr, 16))};
}

/// Applies the first change and gives what is left of the words.
std::span<const std::string> apply(dicom::Rewriter& rewriter, std::span<const std::string> words)
{
    const auto& verb = words[0];
    if (verb == "remove") {
        rewriter.remove(element_from(words[1]));
        return words.subspan(2);
    }
    if (verb == "replace") {
        rewriter.replace(element_from(words[1]), words[2]);
        return words.subspan(3);
    }
    rewriter.insert(
        element_from(words[1]), tag_from(words[2]), dicom::make_vr(words[3][0], words[3][1]), words[4]);
    return words.subspan(5);
}

void patch(
    const std::filesystem::path& in, const std::filesystem::path& out, std::span<const std::string> words)
{
    const auto instance = dicom::Instance::open(in);
    dicom::Rewriter rewriter{instance.data_set()};
    while (!words.empty()) {
        words = apply(rewriter, words);
    }
    Rope whole;
    whole.borrow(instance.bytes().substr(0, instance.data_set_offset()));
    auto data_set = rewriter.finish();
    if (instance.is_deflated()) {
        whole.own(dicom::deflate(data_set.str()));
    } else {
        whole.append(std::move(data_set));
    }
    OutputFile file{out};
    whole.write_to(file.fd(), instance.file(), out);
    file.appear(Existing::Replace);
}

} // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> words{argv + 1, argv + argc};
    try {
        patch(words.at(0), words.at(1), std::span{words}.subspan(2));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "patch: error: {}\n", error.what());
        return 1;
    }
}
