#pragma once

#include "deid/gatherer.hpp"
#include "deid/token_search.hpp"
#include "dicom/instance.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace dcmpipe::deid {

/// What identifies the people of one instance, gathered from its data set at every depth: each component of
/// each person name as people write it, ids, accession number, address, telephone, the written forms of its
/// dates, its UIDs; in UTF-8, in the data set's own character sets, in upper and lower case. Immutable; any
/// thread may use it.
class Identity {
public:
    explicit Identity(TokenSearch search) : search_(std::move(search)) {}

    /// True where the bytes name one of these people.
    bool shows_in(std::string_view bytes) const { return search_.finds(bytes); }

    /// True where text that people wrote names one of them: short names count as well.
    bool shows_in_text(std::string_view text) const { return search_.finds_in_text(text); }

    const TokenSearch& search() const noexcept { return search_; }

private:
    TokenSearch search_;
};

/// Gathers identities, and remembers the last people: instances of a series name the same ones, and finding
/// the forms of a name costs more than all the rest. Any thread may use it.
class Identities {
public:
    /// What stays by a rule or an option is no secret and not looked for, wherever else it was written.
    Identity of(const dicom::Instance& instance, const Gatherer::Stays& stays);

private:
    struct Known {
        std::string essence;
        std::shared_ptr<const TokenSearch> people;
    };

    std::shared_ptr<const TokenSearch> people(const Gatherer& gatherer);

    std::mutex mutex_;
    std::array<Known, 8> known_;
    std::size_t next_ = 0;
};

} // namespace dcmpipe::deid
