#pragma once

#include "dicom/element_index.hpp"
#include "dicom/private_block.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// An element where it stands: what a rule is asked about.
struct Place {
    const dicom::ElementIndex& index;
    std::uint32_t element;
    const dicom::PrivateBlocks& blocks;

    const dicom::Element& operator*() const { return index[element]; }
};

/// Which elements a rule speaks of. The kinds stand in the order of precedence: the most specific last.
class Selector {
public:
    enum class Kind {
        Vr,      ///< a value representation, at every depth
        Mask,    ///< `(60xx,4000)`, at every depth
        Tag,     ///< `StudyDescription`, `(0008,1030)`, at every depth
        Private, ///< `0019,"SIEMENS MR HEADER",0C`: whatever block the creator has, at every depth
        Path,    ///< `ReferencedSeriesSequence/*/SeriesInstanceUID`, from the top
    };

    /// Reads a tag, mask, private element or path. Throws Error{Usage} with the reason alone.
    static Selector parse(std::string_view text);
    static Selector of_vr(std::string_view name);

    Kind kind() const noexcept { return kind_; }
    bool selects(const Place& place) const;

    /// The VR of what is selected, as far as the dictionary knows it; UN else.
    dicom::Vr vr() const noexcept { return vr_; }

    /// The tag that every selected element has; nothing for masks, VRs and private elements.
    std::optional<dicom::Tag> tag() const noexcept;

    /// Of a private element: (gggg,00ee), its tag in no block.
    std::optional<dicom::Tag> private_tag() const noexcept;

private:
    struct Step {
        dicom::Tag tag;
        std::uint32_t mask = 0xffffffffU;
        std::string creator{}; ///< of a private element; its tag has block 0
    };

    static Step parse_step(std::string_view text);
    static bool fits(const Step& step, const Place& place);

    Kind kind_ = Kind::Tag;
    dicom::Vr vr_ = dicom::vr::UN;
    std::vector<Step> steps_; ///< sequences from the top, then the element; one step but for a path
};

} // namespace dcmpipe::deid
