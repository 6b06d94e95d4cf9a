#pragma once

#include "net/dul_connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmpipe::net {

/// A Presentation Data Value (PS3.8 §9.3.5.1): a piece of a command set or data set.
struct Pdv {
    std::uint8_t context_id = 0;
    bool command = false; ///< else of a data set
    bool last = false;    ///< the last piece
    std::string_view data{};
};

/// Reads P-DATA-TF PDUs (PS3.8 §9.3.5) from a channel. DUL has the same, but DUL_NextPDV of DCMTK 3.6.7 to
/// 3.7.0 finds the third PDV of a PDU by the wrong length: it reads past its buffer. Private to
/// association.cpp.
class PdvReader {
public:
    explicit PdvReader(Channel& channel) : channel_(channel) {}

    /// The next PDV; its data stays until the next call. Nothing where another PDU comes: it is left in the
    /// channel, for DUL. Throws Error{Peer}.
    std::optional<Pdv> next();

    /// next() would give one without reading.
    bool has_pdv() const noexcept { return given_ < pdvs_.size(); }

private:
    void read_pdu(std::uint32_t length);

    Channel& channel_;
    std::string pdu_;
    std::vector<Pdv> pdvs_; ///< of pdu_
    std::size_t given_ = 0;
};

} // namespace dcmpipe::net
