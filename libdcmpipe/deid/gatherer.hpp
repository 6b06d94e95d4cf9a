#pragma once

#include "deid/token_search.hpp"
#include "dicom/instance.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// Gathers what one data set says of people, element by element, in the character set of the item it stands
/// in (PS3.3 §C.12.1.1.2). Borrows the instance.
class Gatherer {
public:
    /// Whether the element with this number in the data set's index stays as it is: then it is no secret, and
    /// neither is what says the same elsewhere.
    using Stays = std::function<bool(std::uint32_t)>;

    Gatherer(const dicom::Instance& instance, const Stays& stays);

    /// The values behind add_people(), joined: where they are the same, so is what it adds.
    std::string essence_of_people() const;

    /// Names, ids, addresses, places and dates, in the forms that people write.
    void add_people(TokenSearch& search) const;

    void add_uids(TokenSearch& search) const;

private:
    enum class Kind : char { None, Name, Id, Contact, Place, Date, Uid };

    struct Telling {
        Kind kind;
        std::string_view essence;
        std::uint32_t element;
    };

    static Kind kind_of(const dicom::Element& element);
    template <class Take>
    static void each_essence(std::string_view value, Kind kind, Take take);

    const dicom::ElementIndex& index_;
    std::vector<Telling> telling_;
};

} // namespace dcmpipe::deid
