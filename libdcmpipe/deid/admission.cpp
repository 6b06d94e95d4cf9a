/// What an Anonymizer lets in at all: before a patient gets a code for it.

#include "core/error.hpp"
#include "deid/anonymizer.hpp"
#include "dicom/tags.hpp"
#include "dicom/uid.hpp"

namespace dcmpipe::deid {

namespace tags = dicom::tags;
using dicom::ElementIndex;
using dicom::Instance;

namespace {

/// A profile's own rules and, where its option says so, those for devices.
std::vector<PixelRule> pixel_rules_of(const Profile& profile)
{
    auto rules = profile.pixels;
    if (profile.options.has(Option::CleanPixelData)) {
        rules.insert(rules.end(), device_rules().begin(), device_rules().end());
    }
    return rules;
}

} // namespace

bool is_media_index(const Instance& instance)
{
    return instance.sop_class_uid() == dicom::uid::MediaStorageDirectoryStorage ||
           instance.data_set().find(tags::DirectoryRecordSequence) != ElementIndex::None;
}

Anonymizer::Anonymizer(
    Rules rules, const pseudonym::Key& key, Residual residual,
    std::shared_ptr<const CmsRecipients> recipients, std::shared_ptr<const CodecHost> codecs)
    : rules_(std::move(rules)), key_(key), uids_(std::make_shared<NewUids>(key)),
      identities_(std::make_shared<Identities>()), residual_(residual), recipients_(std::move(recipients)),
      pixels_(pixel_rules_of(rules_.profile()), std::move(codecs))
{
    if (rules_.profile().encrypts() && recipients_ == nullptr) {
        throw Error{
            ErrorKind::Usage, "cannot use the profile", rules_.profile().name,
            "it encrypts attributes, and there is no certificate to encrypt them to"};
    }
}

void Anonymizer::refuse_unfit(const Instance& instance) const
{
    const auto refuse = [&](ErrorKind kind, std::string_view reason) {
        throw Error{kind, "cannot de-identify", instance.name(), reason};
    };
    if (instance.data_set().text(tags::SOPInstanceUID).empty()) {
        refuse(ErrorKind::Input, "no SOP Instance UID");
    }
    const auto& data_set = instance.data_set();
    const auto document = data_set.find(tags::EncapsulatedDocument);
    const dicom::PrivateBlocks blocks{data_set};
    if (document != ElementIndex::None &&
        rules_.decide({data_set, document, blocks}, Iod::strictest()).action != Action::Keep) {
        refuse(ErrorKind::Refused, "an encapsulated document can hold any identity");
    }
    const auto verdict = pixels_.judge(instance);
    for (const auto& rejection : rules_.profile().rejections) {
        const bool excepted = (!rejection.unless.empty() && rejection.unless.holds(instance)) ||
                              (rejection.unless_pixels_cleaned && verdict.known);
        if (rejection.when.holds(instance) && !excepted) {
            refuse(ErrorKind::Refused, rejection.reason);
        }
    }
}

} // namespace dcmpipe::deid
