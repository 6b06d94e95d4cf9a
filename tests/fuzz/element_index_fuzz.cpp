/// \file A DICOM file, and a data set in each encoding: the index keeps its promises or says why not.

#include "core/error.hpp"
#include "dicom/instance.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace dcmpipe;
using namespace dcmpipe::dicom;

/// A tree in the order of the bytes, all of it inside them.
void check(const ElementIndex& index)
{
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < index.size(); ++i) {
        const Element& element = index[i];
        fuzz::must(element.offset >= end);
        fuzz::must(element.end_offset() <= index.bytes().size());
        fuzz::must(index.raw(element).size() >= index.value(element).size());
        fuzz::must(element.end > i && element.end <= index.size());
        fuzz::must(element.container || element.end == i + 1);
        if (element.parent != ElementIndex::None) {
            const Element& parent = index[element.parent];
            fuzz::must(element.parent < i && parent.container && i < parent.end);
            fuzz::must(element.end_offset() <= parent.value_offset() + parent.length);
        }
        end = element.container ? element.value_offset() : element.end_offset();
    }
    fuzz::must(end <= index.end_offset() && index.end_offset() <= index.bytes().size());
}

void walk(std::string_view bytes, Encoding encoding, const Limits& limits)
{
    try {
        check(ElementIndex::walk(bytes, encoding, limits));
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Input);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto bytes = fuzz::view(data, size);
    const Limits limits{.elements = 100'000, .inflated = 4U << 20U};
    try {
        const auto instance = Instance::from_bytes(bytes, "input", limits);
        check(instance.meta());
        check(instance.data_set());
        static_cast<void>(instance.instance_uid());
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Input);
    }
    for (const auto encoding : {ImplicitLittleEndian, ExplicitLittleEndian, ExplicitBigEndian}) {
        walk(bytes, encoding, limits);
    }
    return 0;
}
