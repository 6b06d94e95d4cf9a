#include "deid/identity.hpp"

namespace dcmpipe::deid {

std::shared_ptr<const TokenSearch> Identities::people(const Gatherer& gatherer)
{
    auto essence = gatherer.essence_of_people();
    {
        const std::lock_guard lock{mutex_};
        for (const auto& known : known_) {
            if (known.people && known.essence == essence) {
                return known.people;
            }
        }
    }
    const auto people = std::make_shared<TokenSearch>();
    gatherer.add_people(*people);
    const std::lock_guard lock{mutex_};
    known_[next_++ % known_.size()] = {std::move(essence), people};
    return people;
}

Identity Identities::of(const dicom::Instance& instance, const Gatherer::Stays& stays)
{
    const Gatherer gatherer{instance, stays};
    TokenSearch search = *people(gatherer);
    gatherer.add_uids(search);
    return Identity{std::move(search)};
}

} // namespace dcmpipe::deid
