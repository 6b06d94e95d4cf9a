#include "filter/condition.hpp"

#include "core/error.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/match.hpp"
#include "dicom/tags.hpp"
#include "dicom/values.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <re2/re2.h>

namespace dcmpipe::filter {

namespace {

/// `ImageType[1]`: takes the number in brackets off the word; 0 where there is none.
std::size_t take_number(std::string_view& word)
{
    if (!word.ends_with(']')) {
        return 0;
    }
    const auto open = word.rfind('[');
    std::size_t number = 0;
    const auto* const end = word.data() + word.size() - 1;
    if (open == word.npos || std::from_chars(word.data() + open + 1, end, number).ptr != end || number == 0) {
        throw Error{ErrorKind::Usage, fmt::format("'{}': values are numbered from [1]", word)};
    }
    word = word.substr(0, open);
    return number;
}

} // namespace

Subject::Subject(const dicom::Instance& instance)
    : instance_(instance), characters_(instance.data_set().text(dicom::tags::SpecificCharacterSet))
{
}

Attribute Attribute::parse(std::string_view word)
{
    Attribute attribute;
    attribute.which_ = take_number(word);
    for (std::size_t start = 0; start <= word.size();) {
        const auto end = std::min(word.find('/', start), word.size());
        const auto step = word.substr(start, end - start);
        const auto tag = dicom::dictionary::tag_from(step);
        if (!tag) {
            throw Error{ErrorKind::Usage, fmt::format("'{}' is no attribute of the data dictionary", step)};
        }
        attribute.path_.push_back(*tag);
        start = end + 1;
    }
    return attribute;
}

/// Calls `visit` with each element that the path leads to.
template <class Visit>
void Attribute::visit(const Subject& subject, Visit visit) const
{
    using dicom::ElementIndex;
    const auto& index = subject.instance().data_set();
    std::vector<std::uint32_t> parents{ElementIndex::None};
    for (std::size_t step = 0; step < path_.size(); ++step) {
        std::vector<std::uint32_t> items;
        for (const auto parent : parents) {
            const auto found = index.find(path_[step], parent);
            if (found == ElementIndex::None) {
                continue;
            }
            if (step + 1 == path_.size()) {
                visit(index, index[found]);
            } else if (index[found].is_sequence()) {
                const auto end = index.end_of(found);
                for (auto item = index.first_child(found); item < end; item = index[item].end) {
                    items.push_back(item);
                }
            }
        }
        parents = std::move(items);
    }
}

std::vector<std::string> Attribute::values(const Subject& subject) const
{
    std::vector<std::string> all;
    visit(subject, [&](const dicom::ElementIndex& index, const dicom::Element& element) {
        auto values = dicom::values_of(index, element, subject.characters());
        if (which_ == 0) {
            std::move(values.begin(), values.end(), std::back_inserter(all));
        } else if (which_ <= values.size()) {
            all.push_back(std::move(values[which_ - 1]));
        }
    });
    return all;
}

bool Attribute::is_present(const Subject& subject) const
{
    if (which_ != 0) {
        const auto all = values(subject);
        return std::any_of(all.begin(), all.end(), [](const auto& value) { return !value.empty(); });
    }
    bool present = false;
    visit(subject, [&](const dicom::ElementIndex&, const dicom::Element& element) {
        present = present || element.length > 0;
    });
    return present;
}

ValueTest pattern(std::string text)
{
    return [text = std::move(text)](const std::string& value) { return dicom::fits(value, text); };
}

ValueTest expression(const std::string& text)
{
    RE2::Options options;
    options.set_log_errors(false);
    const auto compiled = std::make_shared<const RE2>(text, options);
    if (!compiled->ok()) {
        throw Error{ErrorKind::Usage, fmt::format("no regular expression: {}", compiled->error())};
    }
    return [compiled](const std::string& value) { return RE2::PartialMatch(value, *compiled); };
}

ValueTest one_of(std::set<std::string> values)
{
    const auto shared = std::make_shared<const std::set<std::string>>(std::move(values));
    return [shared](const std::string& value) { return shared->count(value) > 0; };
}

ValueTest sop_class(std::string text)
{
    return [text = std::move(text)](const std::string& value) {
        return dicom::fits(value, text) || dicom::fits(dicom::sop_class_name(value), text);
    };
}

bool Condition::holds(const Subject& subject) const
{
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        return std::any_of(term.where.begin(), term.where.end(), [&](const Attribute& attribute) {
            if (term.present && attribute.is_present(subject) != *term.present) {
                return false;
            }
            if (term.any.empty()) {
                return term.present.has_value();
            }
            const auto values = attribute.values(subject);
            return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
                return std::any_of(
                    term.any.begin(), term.any.end(), [&](const ValueTest& test) { return test(value); });
            });
        });
    });
}

dicom::Tag Condition::last_tag() const
{
    dicom::Tag last;
    for (const auto& term : terms_) {
        for (const auto& attribute : term.where) {
            last = std::max(last, attribute.top());
        }
    }
    return last;
}

} // namespace dcmpipe::filter
