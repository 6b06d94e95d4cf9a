#pragma once

#include "net/association.hpp"
#include "net/instance_store.hpp"

#include <functional>

namespace dcmpipe::net {

class CommitmentScp;

/// The service side of C-STORE and C-ECHO (PS3.7 §9.1.1, §9.1.5) over a store, on any association: one that
/// was accepted, or one that was requested for C-GET.
class StorageScp {
public:
    /// Told of each instance once it stands, before the peer is.
    using OnStored = std::function<void(const StoredInstance&)>;

    /// Told of each instance that was answered with another status than Success.
    using OnRefused = std::function<void(const AnnouncedInstance&, const StoreOutcome&)>;

    /// `aet` is ours; the store must outlive it.
    StorageScp(InstanceStore& store, std::string aet, OnStored on_stored);

    void on_refused(OnRefused on_refused) { on_refused_ = std::move(on_refused); }
    /// What may be stored, by its SOP class, whatever context it comes on; else it is refused (0122H).
    void take_only(std::function<bool(std::string_view)> classes) { takes_ = std::move(classes); }
    /// No more instances than that are taken, then they are refused (A700H); 0: any number.
    void take_at_most(std::uint64_t instances) { most_instances_ = instances; }

    /// Storage commitment is answered by `commitment`, which must outlive it; else it is no operation here.
    void commit_by(CommitmentScp& commitment) { commitment_ = &commitment; }

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
    StoreOutcome take(
        Association& association, const Association::Message& request, const AnnouncedInstance& announced);

    InstanceStore& store_;
    std::string aet_;
    OnStored on_stored_;
    OnRefused on_refused_{};
    std::function<bool(std::string_view)> takes_{};
    CommitmentScp* commitment_ = nullptr;
    std::uint64_t most_instances_ = 0;
    std::uint64_t stored_ = 0;
    std::uint64_t refused_ = 0;
};

} // namespace dcmpipe::net
