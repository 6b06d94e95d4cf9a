#pragma once

#include "dicom/element_index.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::dicom {

/// Where an instance stands below a folder: a template over keywords, `{StudyInstanceUID}/{Modality}.dcm`.
///
/// Values never make a path by themselves: each is converted to UTF-8, and what a file system or a shell
/// could misread (separators, controls, leading dots, over-long names) is replaced. Immutable; any thread
/// may use it.
class Layout {
public:
    /// A named layout (`uid`, `patient`, `receiver`, `pacsifier`) or a template. Throws Error{Usage} for an
    /// unknown name or keyword, an unclosed brace, or a path that is not relative.
    explicit Layout(std::string_view name_or_template);

    /// The text of an attribute in UTF-8; empty where it is absent.
    using ValueOf = std::function<std::string(Tag)>;

    /// Where an instance goes, below the folder that the layout is used in.
    struct Place {
        std::filesystem::path file;
        /// The part of `file` that is the study's folder: up to the component with the last attribute of the
        /// patient or study; empty where the template has none.
        std::filesystem::path study_folder;
    };

    /// The place of an instance with these values. An absent value becomes `none`.
    Place place_of(const ValueOf& value_of) const;

    /// The place of the instance with this data set.
    Place place_of(const ElementIndex& data_set) const;

    /// The last attribute that a place depends on, in the order of a data set: the rest need not be read.
    Tag last_tag() const;

    /// A file's name is its SOP Instance UID, with `.dcm` or without.
    bool names_by_instance() const;

private:
    struct Piece {
        std::string literal; ///< before the value
        Tag tag;             ///< of the value; 0 after the last literal
        unsigned width = 0;  ///< {SeriesNumber:05}: digits, at least
    };
    using Component = std::vector<Piece>;

    std::string component_of(const Component& component, const ValueOf& value_of) const;

    std::vector<Component> components_;
    std::size_t study_components_ = 0;
    bool pacsifier_ = false; ///< PACSIFIER's naming rules (rows PF-19 to PF-21) instead of ours
};

/// One component of a path out of any text: valid UTF-8, no separators or controls, not hidden, at most 200
/// bytes, never empty.
std::string safe_name(std::string_view text);

/// The same as PACSIFIER does it (row PF-20): decomposed letters without their accents, then only letters and
/// digits, runs of anything else one underscore. `text` is UTF-8.
std::string pacsifier_name(std::string_view text);

} // namespace dcmpipe::dicom
