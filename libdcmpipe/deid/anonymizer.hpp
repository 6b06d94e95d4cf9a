#pragma once

#include "deid/changes.hpp"
#include "deid/cms.hpp"
#include "deid/identity.hpp"
#include "deid/new_uids.hpp"
#include "deid/pixels/cleaner.hpp"
#include "deid/residual.hpp"
#include "deid/rules.hpp"
#include "dicom/instance.hpp"
#include "pseudonym/key.hpp"
#include "pseudonym/map.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace dcmpipe::deid {

/// How often each action was taken in an instance; indexed by Action.
using ActionCounts = std::array<std::uint32_t, 12>;

struct Anonymized : Deidentified {
    ActionCounts counts{};
};

/// True for a DICOMDIR under whatever name: it lists instances and is none.
bool is_media_index(const dicom::Instance& instance);

/// De-identifies instances by rules and key. What comes out depends on the instance, the patient and the key
/// alone. Immutable; any thread may use it.
class Anonymizer {
public:
    /// `recipients`, where given, can read what was taken out of each instance itself (0400,0500): all of it,
    /// or where the profile has rules that encrypt, what these select. Without `codecs`, compressed pixels
    /// that must be painted are refused. Throws Error{Usage} where a rule encrypts and there are no
    /// recipients.
    Anonymizer(
        Rules rules, const pseudonym::Key& key, Residual residual = Residual::Header,
        std::shared_ptr<const CmsRecipients> recipients = nullptr,
        std::shared_ptr<const CodecHost> codecs = nullptr);

    const Rules& rules() const noexcept { return rules_; }

    /// Throws Error{Refused} for what the profile keeps back, Error{Input} for an instance without SOP
    /// Instance UID.
    void refuse_unfit(const dicom::Instance& instance) const;

    /// `instance` must have passed refuse_unfit(), and outlive the result. Throws Error{Refused} where a
    /// value that would stay names the patient: the message tells the attribute, never the value.
    Anonymized anonymize(const dicom::Instance& instance, const pseudonym::Patient& patient) const;

private:
    Rules rules_;
    pseudonym::Key key_;
    std::shared_ptr<NewUids> uids_;          ///< same for the same key: a memory, not a state
    std::shared_ptr<Identities> identities_; ///< as uids_
    Residual residual_;
    std::shared_ptr<const CmsRecipients> recipients_;
    PixelCleaner pixels_;
};

} // namespace dcmpipe::deid
