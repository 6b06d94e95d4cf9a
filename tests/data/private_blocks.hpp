#pragma once

#include "visit.hpp"

namespace studies {

/// Two makers' private blocks in one group, as scanners write them: names, dates, UIDs and ids in plain
/// elements, in private sequences, in a binary header, and in sequences hidden in UN. Their tags:
/// (0029,10xx) INVENTED VENDOR A, (0029,11xx) INVENTED VENDOR B, (0051,10xx) INVENTED VENDOR A.
void put_private_blocks(DcmItem& data_set, Visit& visit);

} // namespace studies
