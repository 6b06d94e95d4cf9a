#pragma once

#include "dicom/charset.hpp"
#include "dicom/instance.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::filter {

/// An instance that is judged, with what is made of it once. Borrows the instance; for one thread.
class Subject {
public:
    explicit Subject(const dicom::Instance& instance);

    const dicom::Instance& instance() const noexcept { return instance_; }
    const dicom::CharacterSet& characters() const noexcept { return characters_; }

private:
    const dicom::Instance& instance_;
    dicom::CharacterSet characters_;
};

/// Which values of a data set: `Modality`, `ImageType[1]` (the first value), `0019,100C`,
/// `RequestAttributesSequence/CodeValue` (of every item). Immutable.
class Attribute {
public:
    /// Throws Error{Usage} with the reason alone.
    static Attribute parse(std::string_view word);
    explicit Attribute(dicom::Tag tag) : path_{tag} {}

    /// Values in UTF-8, numbers in decimal; nothing where the attribute is absent or holds bytes.
    std::vector<std::string> values(const Subject& subject) const;
    bool is_present(const Subject& subject) const;

    /// What must have been read of a data set.
    dicom::Tag top() const { return path_.front(); }

private:
    Attribute() = default;
    template <class Visit>
    void visit(const Subject& subject, Visit visit) const;

    std::vector<dicom::Tag> path_; ///< sequences from the top, then the attribute
    std::size_t which_ = 0;        ///< the number of the value, from 1; 0: any
};

/// What is asked of one value.
using ValueTest = std::function<bool(const std::string& value)>;

/// True where the value fits the pattern: `*` any characters, `?` one; case does not matter.
ValueTest pattern(std::string text);
/// True where the regular expression (RE2) matches somewhere in the value; case matters, `(?i)` apart.
/// Throws Error{Usage} with the reason alone.
ValueTest expression(const std::string& text);
ValueTest one_of(std::set<std::string> values);
/// As pattern(), of a SOP class UID or of the name of PS3.6 without blanks and `Storage`: `EncapsulatedPDF`.
ValueTest sop_class(std::string text);

/// Terms that must all hold of an instance. Immutable once filled; any thread may use it.
class Condition {
public:
    struct Term {
        std::vector<Attribute> where;  ///< of any of these
        std::vector<ValueTest> any;    ///< a value passes one of these
        std::optional<bool> present{}; ///< or, without tests: whether the attribute has a value
    };

    void add(Term term) { terms_.push_back(std::move(term)); }
    bool holds(const Subject& subject) const;
    /// The last attribute at top level that it asks for.
    dicom::Tag last_tag() const;

private:
    std::vector<Term> terms_;
};

} // namespace dcmpipe::filter
