#pragma once

#include "deid/rewritten.hpp"
#include "dicom/instance.hpp"
#include "dicom/rewriter.hpp"
#include "pseudonym/originals.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace dcmpipe::deid {

/// A de-identified instance, and what was taken from it.
struct Deidentified : Rewritten {
    pseudonym::Originals originals;
};

/// The changes of one instance, and with each the top-level element that it touched, as it stood: nothing is
/// changed that cannot be given back. Elements are named by their number in the data set's index. Borrows the
/// instance; not for sharing between threads.
class Changes {
public:
    explicit Changes(const dicom::Instance& instance);

    /// Gives an element another value; nothing happens where it has that one.
    void replace(std::uint32_t element, std::string_view value);

    /// Puts encoded elements where one stood.
    void replace_raw(std::uint32_t element, std::string encoded);

    void remove(std::uint32_t element);

    /// Writes a top-level attribute whether it was there or not.
    void set(dicom::Tag tag, dicom::Vr vr, std::string_view value);

    /// For who changes bulk data by patches of their own. What they overwrite is kept by took() alone.
    dicom::Rewriter& rewriter() noexcept { return rewriter_; }
    void took(std::uint32_t element) { took(element, {}); }

    /// What was taken until now.
    const pseudonym::TakenElements& taken() const noexcept { return result_.originals.elements; }

    /// The result; nothing may follow. `patient` is the number of the patient in the map.
    Deidentified finish(std::int64_t patient);

private:
    void replace_raw(std::uint32_t element, std::string encoded, std::string_view text);
    void took(std::uint32_t element, std::string_view text);
    void remember_whose_it_is();
    std::string uid_of_output(dicom::Tag tag) const;

    const dicom::Instance& instance_;
    const dicom::ElementIndex& data_set_;
    dicom::Rewriter rewriter_;
    Deidentified result_;
};

} // namespace dcmpipe::deid
