#pragma once

#include "dcm.hpp"
#include "ledger.hpp"
#include "people.hpp"
#include "random.hpp"

#include <string>
#include <string_view>

namespace studies {

/// One study of one person, and the only way for identity into a data set: whatever is put through here is
/// noted in the ledger too. Everything follows from the seed and the number.
class Visit {
public:
    /// The `number`th study of the run, of the person at `index` in people().
    Visit(std::size_t index, unsigned number, std::uint64_t seed, Ledger& ledger);

    const Person& person() const { return person_; }
    const std::string& patient_id() const { return patient_id_; }
    const std::string& date() const { return date_; }
    std::string time(unsigned minutes_later = 0) const;

    /// UTF-8 text as an attribute in the person's character set.
    void put(DcmItem& item, const DcmTag& tag, Identity kind, std::string_view utf8);
    /// As put(), in another character set than the person's.
    void put_in(
        DcmItem& item, const DcmTag& tag, Identity kind, std::string_view utf8,
        std::string_view character_set);
    /// Notes identity that stands where no attribute is: in bytes, in a preamble.
    void note(Identity kind, std::string_view where, std::string_view utf8, std::string_view bytes);

    /// The UID of a thing of this study: the same name, the same UID.
    std::string uid(std::string_view name) const;
    void put_uid(DcmItem& item, const DcmTag& tag, std::string_view name);
    /// For what belongs to the person, not to the study: the same in every visit.
    std::string patient_number(std::string_view name, unsigned digits) const;
    std::string study_number(std::string_view name, unsigned digits) const;

    /// The complaint with the person's name in the middle of a sentence.
    std::string complaint() const;

    Random random(std::string_view name) const { return Random{study_seed_, name}; }

private:
    void note_components(std::string_view keyword, std::string_view name, std::string_view character_set);

    const Person& person_;
    Ledger& ledger_;
    std::uint64_t patient_seed_;
    std::uint64_t study_seed_;
    std::string patient_id_;
    std::string date_;
    unsigned start_ = 0; ///< minutes after midnight
};

/// Patient and General Study modules (PS3.3 §C.7.1.1, §C.7.2.1), with the character set in front.
void put_patient_and_study(DcmItem& data_set, Visit& visit);

struct SeriesWords {
    std::string_view name; ///< the series UID follows from it
    std::string_view modality;
    std::string_view description;
    std::string_view manufacturer;
    std::string_view model;
    std::uint16_t number = 1;
};

/// General Series and General Equipment modules (PS3.3 §C.7.3.1, §C.7.5.1).
void put_series_and_equipment(DcmItem& data_set, Visit& visit, const SeriesWords& words);

/// SOP Common and General Image (PS3.3 §C.12.1, §C.7.6.1) of the instance with this name and number.
void put_instance(
    DcmItem& data_set, Visit& visit, std::string_view sop_class_uid, std::string_view name, unsigned number);

} // namespace studies
