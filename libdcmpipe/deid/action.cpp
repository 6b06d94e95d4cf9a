#include "deid/action.hpp"

namespace dcmpipe::deid {

namespace vr = dicom::vr;

std::string_view name_of(Action action) noexcept
{
    switch (action) {
    case Action::Keep:
        return "keep";
    case Action::Remove:
        return "remove";
    case Action::Empty:
        return "empty";
    case Action::Dummy:
        return "dummy";
    case Action::Uid:
        return "uid";
    case Action::Clean:
        return "clean";
    case Action::Shift:
        return "shift";
    case Action::AgeCap:
        return "age-cap";
    case Action::Code:
        return "code";
    case Action::Edit:
        return "edit";
    case Action::Encrypt:
        return "encrypt";
    case Action::Reject:
        return "reject";
    }
    return "";
}

bool applies_to(Action action, dicom::Vr vr) noexcept
{
    const bool any = vr == vr::UN;
    switch (action) {
    case Action::Uid:
        return any || vr == vr::UI || vr == vr::SQ;
    case Action::Clean:
        return any || vr == vr::SQ || dicom::traits(vr).character_set || vr == vr::CS;
    case Action::Shift:
        return any || vr == vr::DA || vr == vr::DT || vr == vr::TM;
    case Action::AgeCap:
        return any || vr == vr::AS;
    case Action::Code:
        return any || (dicom::traits(vr).character_set && vr != vr::UT);
    case Action::Edit:
        return any || dicom::is_text(vr);
    default:
        return true;
    }
}

} // namespace dcmpipe::deid
