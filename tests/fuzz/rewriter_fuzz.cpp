/// \file A DICOM file and a list of changes in front of it: what comes out is what was asked for.
///
/// The first byte counts the changes; four bytes each say what, to which element, and how much.

#include "core/error.hpp"
#include "dicom/instance.hpp"
#include "dicom/rewriter.hpp"
#include "fuzz/fuzz.hpp"

#include <string>
#include <vector>

namespace {

using namespace dcmpipe;
using namespace dcmpipe::dicom;

constexpr Limits limits{.elements = 20'000, .inflated = 1U << 20U};

/// Which elements are touched, so that no two changes overlap, and how many there will be.
class Changes {
public:
    explicit Changes(const ElementIndex& index)
        : index_(index), rewriter_(index), touched_(index.size(), false), expected_(index.size())
    {
    }

    void apply(std::string_view change)
    {
        const auto element = read_u16(change, 1, false) % index_.size();
        const std::string value(static_cast<unsigned char>(change[3]), 'A');
        switch (static_cast<unsigned char>(change[0]) % 3) {
        case 0:
            return replace(element, value);
        case 1:
            return remove(element);
        default:
            return insert(element, value);
        }
    }

    /// The new data set must be one, of as many elements.
    void check()
    {
        const bool changed = rewriter_.changes();
        const auto rope = rewriter_.finish();
        const auto bytes = rope.str();
        fuzz::must(bytes.size() == rope.size());
        fuzz::must(changed || bytes == index_.bytes());
        const auto again = ElementIndex::walk(bytes, index_.encoding(), limits);
        fuzz::must(again.size() == expected_);
    }

private:
    bool free(std::uint32_t from, std::uint32_t to) const
    {
        for (auto i = from; i < to; ++i) {
            if (touched_[i]) {
                return false;
            }
        }
        return true;
    }

    /// Nothing around it is replaced or removed, nor has it changed itself.
    bool untouched(std::uint32_t element) const
    {
        for (auto around = index_[element].parent; around != ElementIndex::None;
             around = index_[around].parent) {
            if (gone_.size() > around && gone_[around]) {
                return false;
            }
        }
        return free(element, index_[element].end);
    }

    void touch(std::uint32_t element, bool all)
    {
        touched_[element] = true;
        if (all) {
            gone_.resize(index_.size(), false);
            gone_[element] = true;
        }
    }

    void replace(std::uint32_t element, const std::string& value)
    {
        if (!index_[element].container && untouched(element)) {
            rewriter_.replace(element, value);
            touch(element, true);
        }
    }

    void remove(std::uint32_t element)
    {
        if (untouched(element)) {
            rewriter_.remove(element);
            expected_ -= index_[element].end - element;
            touch(element, true);
        }
    }

    void insert(std::uint32_t near, const std::string& value)
    {
        const auto parent = index_[near].is_item() ? near : ElementIndex::None;
        const Tag tag{0x00091010};
        const bool there = index_.find(tag, parent) != ElementIndex::None;
        if (there || inserted_ || (parent != ElementIndex::None && !untouched(parent))) {
            return;
        }
        rewriter_.insert(parent, tag, vr::LO, value);
        ++expected_;
        inserted_ = true;
        if (parent != ElementIndex::None) {
            touch(parent, false);
        }
    }

    const ElementIndex& index_;
    Rewriter rewriter_;
    std::vector<bool> touched_;
    std::vector<bool> gone_;
    std::uint32_t expected_;
    bool inserted_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto bytes = fuzz::view(data, size);
    const std::size_t changes = size > 0 ? data[0] % 16 : 0;
    if (size < 1 + 4 * changes) {
        return 0;
    }
    const auto script = bytes.substr(1, 4 * changes);
    bytes.remove_prefix(1 + script.size());
    try {
        const auto instance = Instance::from_bytes(bytes, "input", limits);
        const auto& index = instance.data_set();
        Changes list{index};
        for (std::size_t at = 0; at < script.size() && index.size() > 0; at += 4) {
            list.apply(script.substr(at, 4));
        }
        list.check();
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Input);
    }
    return 0;
}
