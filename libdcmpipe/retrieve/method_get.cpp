#include "core/error.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"
#include "net/storage_scp.hpp"
#include "retrieve/fetcher.hpp"
#include "retrieve/get_contexts.hpp"
#include "retrieve/request_identifier.hpp"

#include <algorithm>

namespace dcmpipe::retrieve {

namespace uid = dicom::uid;

namespace {

class Get : public Method {
public:
    Get(Connection& connection, StorePlace place)
        : connection_(connection),
          place_(std::move(place)), settings_{
                                        .root = place_.root,
                                        .layout = dicom::Layout{place_.layout},
                                        .durability = place_.durability,
                                        .wanted =
                                            [this](const dicom::ElementIndex& data_set) {
                                                return wants(data_set);
                                            },
                                        .aside = place_.aside}
    {
    }

    net::QueryOutcome ask(const Request& request) override
    {
        request_ = &request;
        try {
            auto& association = association_for(request);
            const auto* const context = association.context_for(uid::StudyRootGet);
            if (context == nullptr) {
                throw Error{
                    ErrorKind::Usage, "cannot retrieve from", association.peer(),
                    "it does not offer C-GET to us; --move-port asks by C-MOVE"};
            }
            const auto stored = [&](const net::StoredInstance& instance) {
                if (!is_aside(place_, instance)) {
                    request.on_stored(instance);
                }
            };
            net::StorageScp scp{store_for(request), connection_.settings().aet, stored};
            return net::get(association, *context, identifier_of(request, context->transfer_syntax), scp);
        } catch (const Error&) {
            association_.reset();
            throw;
        }
    }

    void release() override
    {
        if (association_) {
            hang_up(*association_);
            association_.reset();
        }
    }

private:
    bool wants(const dicom::ElementIndex& data_set) const
    {
        if (!request_->belongs(data_set)) {
            request_->on_unasked();
            return false;
        }
        const bool confirmed = request_->confirms(data_set);
        if (!confirmed) {
            request_->on_rejected(data_set.text(dicom::tags::SOPInstanceUID));
        }
        return confirmed;
    }

    net::InstanceStore& store_for(const Request& request)
    {
        if (!store_ || settings_.wanted_by < request.wanted_by) {
            settings_.wanted_by = std::max(settings_.wanted_by, request.wanted_by);
            store_.emplace(settings_);
        }
        return *store_;
    }

    /// The one that is open, where it was made for such instances.
    net::Association& association_for(const Request& request)
    {
        const bool fits = association_ && modality_ == request.modality && attempt_ == request.attempt &&
                          std::includes(
                              sop_classes_.begin(), sop_classes_.end(), request.sop_classes.begin(),
                              request.sop_classes.end()) &&
                          sop_classes_.empty() == request.sop_classes.empty();
        if (!fits) {
            release();
            association_.emplace(
                connection_.call(contexts_for_get(request.sop_classes, request.modality, request.attempt)));
            sop_classes_ = request.sop_classes;
            modality_ = request.modality;
            attempt_ = request.attempt;
        }
        return *association_;
    }

    Connection& connection_;
    StorePlace place_;
    net::InstanceStore::Settings settings_;
    std::optional<net::InstanceStore> store_{};
    const Request* request_ = nullptr; ///< the one at hand
    std::optional<net::Association> association_{};
    std::set<std::string> sop_classes_{}; ///< it was made for
    std::string modality_{};
    unsigned attempt_ = 0;
};

} // namespace

std::unique_ptr<Method> make_get(Connection& connection, StorePlace place)
{
    return std::make_unique<Get>(connection, std::move(place));
}

} // namespace dcmpipe::retrieve
