#pragma once

#include "net/association.hpp"
#include "net/instance_store.hpp"

#include <functional>

namespace dcmpipe::net {

/// The service side of C-STORE and C-ECHO (PS3.7 §9.1.1, §9.1.5) over a store, on any association: one that
/// was accepted, or one that was requested for C-GET.
class StorageScp {
public:
    /// Told of each instance once it stands, before the peer is.
    using OnStored = std::function<void(const StoredInstance&)>;

    /// `aet` is ours; the store must outlive it.
    StorageScp(InstanceStore& store, std::string aet, OnStored on_stored);

    /// Answers requests until the peer releases the association. Throws Error{Peer} where it breaks off,
    /// Error{Cancelled} where the association was told to stop waiting.
    void serve(Association& association);

    /// Answers one request, a C-STORE with its data set, a C-ECHO, or anything else with "unrecognized
    /// operation".
    void answer(Association& association, const Association::Message& request);

    std::uint64_t stored() const noexcept { return stored_; }
    std::uint64_t refused() const noexcept { return refused_; }

private:
    void store(Association& association, const Association::Message& request);

    InstanceStore& store_;
    std::string aet_;
    OnStored on_stored_;
    std::uint64_t stored_ = 0;
    std::uint64_t refused_ = 0;
};

} // namespace dcmpipe::net
