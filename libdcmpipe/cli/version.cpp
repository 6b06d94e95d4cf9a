#include "cli/version.hpp"

#include "deid/table.hpp"

#include <fmt/format.h>

namespace dcmpipe::cli {

std::string version_text(std::string_view program)
{
    return fmt::format(
        "{} {}\nde-identification: DICOM PS3.15 Table E.1-1, edition {}\n", program, DCMPIPE_VERSION,
        deid::table_edition);
}

} // namespace dcmpipe::cli
