#pragma once

#include "core/rope.hpp"
#include "dicom/element_index.hpp"

#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::dicom {

/// A data set as its own bytes plus a list of patches.
///
/// What is not patched stays byte for byte as it was; changed elements are encoded as their data set is, and
/// the lengths of the sequences, items and groups (gggg,0000) around them follow. No patch at all gives the
/// input back. The index, and the bytes it borrows, must outlive the rope that finish() gives. Not for
/// sharing between threads.
class Rewriter {
public:
    explicit Rewriter(const ElementIndex& index) : index_(index) {}

    /// Gives an element another value, in the byte order of its encoding; padded here. Its VR stays.
    void replace(std::uint32_t element, std::string_view value);

    /// Puts encoded elements where one stood.
    void replace_raw(std::uint32_t element, std::string encoded);

    /// As above, for what is too long to copy; what `encoded` borrows must outlive the result.
    void replace_raw(std::uint32_t element, Rope encoded);

    /// Takes an element out, with all it contains.
    void remove(std::uint32_t element);

    /// Adds an element to an item, or to the data set itself (`parent` None), where its tag belongs. An
    /// element of this tag must not stand there. The value is padded here.
    void insert(std::uint32_t parent, Tag tag, Vr vr, std::string_view value);

    /// As insert(), for an element that is encoded already.
    void insert_raw(std::uint32_t parent, Tag tag, std::string encoded);

    /// Drops the zero bytes that pad the file behind the last element.
    void remove_trailing();

    bool changes() const noexcept { return !patches_.empty(); }

    /// The new data set. Throws Error{Internal} where patches overlap.
    Rope finish();

private:
    struct Patch {
        std::uint64_t offset; ///< where old bytes go out and new ones come in
        std::uint64_t removed;
        std::uint16_t depth;
        Tag tag;
        std::string_view added{};
        Rope* long_added = nullptr; ///< instead of `added`
    };

    Patch& patch(
        std::uint32_t parent, Tag tag, std::uint64_t offset, std::uint64_t removed, std::uint64_t added);
    void grow_containers();
    void grow_groups();
    std::uint64_t size_of_group(std::uint32_t group_length) const;
    void set_number(std::uint64_t offset, std::uint64_t value, bool big_endian);

    struct Growth {
        std::uint32_t parent; ///< the item or data set whose group grows
        std::uint16_t group;
        std::int64_t bytes;
    };

    const ElementIndex& index_;
    Rope result_; ///< owns what patches add
    std::list<Rope> long_added_;
    std::vector<Patch> patches_;
    std::vector<Growth> growths_;
};

} // namespace dcmpipe::dicom
