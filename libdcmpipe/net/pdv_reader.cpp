#include "net/pdv_reader.hpp"

#include "dicom/element_index.hpp"
#include "net/association.hpp"

#include <array>

namespace dcmpipe::net {

namespace {

constexpr char p_data_tf = 4; // PS3.8 Table 9-22
constexpr std::uint32_t pdv_header = 6;
/// Some senders leave headers out of what they count.
constexpr std::uint32_t longest_pdu = default_max_pdu + 100;

} // namespace

std::optional<Pdv> PdvReader::next()
{
    if (!has_pdv()) {
        std::array<char, 6> header{};
        channel_.read_whole(header.data(), header.size());
        if (header[0] != p_data_tf) {
            channel_.unread(header.size());
            return std::nullopt;
        }
        read_pdu(dicom::read_u32({header.data(), header.size()}, 2, true));
    }
    return pdvs_[given_++];
}

void PdvReader::read_pdu(std::uint32_t length)
{
    const auto refuse = [&](std::string_view reason) {
        throw Error{ErrorKind::Peer, "broke off with", channel_.transport().peer(), reason};
    };
    if (length > longest_pdu) {
        refuse("its PDU is too long");
    }
    pdu_.resize(length);
    channel_.read_whole(pdu_.data(), pdu_.size());
    pdvs_.clear();
    given_ = 0;
    for (std::string_view rest = pdu_; !rest.empty();) {
        if (rest.size() < pdv_header) {
            refuse("its PDU holds half a PDV");
        }
        const auto size = dicom::read_u32(rest, 0, true); // without itself
        if (size < 2 || size > rest.size() - 4) {
            refuse("its PDV does not fit into the PDU");
        }
        const auto control = static_cast<unsigned char>(rest[5]);
        pdvs_.push_back(
            {.context_id = static_cast<std::uint8_t>(rest[4]),
             .command = (control & 1U) != 0,
             .last = (control & 2U) != 0,
             .data = rest.substr(pdv_header, size - 2)});
        rest.remove_prefix(4 + std::size_t{size});
    }
    if (pdvs_.empty()) {
        refuse("its PDU is empty");
    }
}

} // namespace dcmpipe::net
