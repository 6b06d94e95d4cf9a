#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::deid {

/// The ways in which people write the same name (UTF-8) elsewhere: in capitals, in small letters, with
/// capitals in front; Latin letters without their marks (Łuczyński: Luczynski) and as typists resolve them
/// (Müller: Mueller). Latin, Greek and Cyrillic; without the text itself, without repetitions. Pure.
std::vector<std::string> written_forms(std::string_view text);

} // namespace dcmpipe::deid
