#pragma once

#include "deid/token_search.hpp"
#include "dicom/instance.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace dcmpipe::deid {

/// What identifies the people of one instance, gathered from its data set at every depth: each component of
/// each person name as people write it, ids, accession number, address, telephone, the written forms of its
/// dates, its UIDs; in UTF-8, in the data set's own character sets, in upper and lower case. Immutable; any
/// thread may use it.
class Identity {
public:
    /// Whether the element with this number in the data set's index stays as it is.
    using Stays = std::function<bool(std::uint32_t)>;

    /// What stays by a rule or an option is no secret and not looked for, wherever else it was written.
    static Identity of(const dicom::Instance& instance, const Stays& stays);

    /// True where the bytes name one of these people.
    bool shows_in(std::string_view bytes) const { return search_.finds(bytes); }

    /// True where text that people wrote names one of them: short names count as well.
    bool shows_in_text(std::string_view text) const { return search_.finds_in_text(text); }

    const TokenSearch& search() const noexcept { return search_; }

private:
    TokenSearch search_;
};

/// A surname that is also a word of a protocol, a body part or a disease, in either case.
bool is_everyday(std::string_view word);

} // namespace dcmpipe::deid
