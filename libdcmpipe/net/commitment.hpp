#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The Storage Commitment Push Model (PS3.4 §J.3) as data sets.
namespace dcmpipe::net {

inline constexpr std::string_view CommitmentClass = "1.2.840.10008.1.20.1";
/// Its one well-known instance.
inline constexpr std::string_view CommitmentInstance = "1.2.840.10008.1.20.1.1";

/// An item of (0008,1199) Referenced SOP Sequence.
struct InstanceReference {
    std::string sop_class_uid;
    std::string instance_uid;
};

/// What an N-ACTION asks for (PS3.4 Table J.3-1).
struct CommitmentRequest {
    std::string transaction_uid;
    std::vector<InstanceReference> instances;
};

/// Throws Error{Peer} where the data set is none: without a transaction or instances, or with UIDs that are
/// none.
CommitmentRequest parse_commitment_request(std::string_view data_set, std::string_view transfer_syntax);

/// What an N-EVENT-REPORT says (PS3.4 Table J.3-2).
struct CommitmentReport {
    struct Failed {
        InstanceReference reference;
        std::uint16_t reason; ///< (0008,1197), PS3.3 §C.14.1.1
    };
    std::string transaction_uid;
    std::vector<InstanceReference> committed{};
    std::vector<Failed> failed{};

    /// (0000,1002) Event Type ID.
    std::uint16_t event_type() const { return failed.empty() ? 1 : 2; }
};

std::string encode_commitment_request(const CommitmentRequest& request, std::string_view transfer_syntax);

/// Throws Error{Peer} where the data set is none; one that names no instance is none.
CommitmentReport parse_commitment_report(std::string_view data_set, std::string_view transfer_syntax);

std::string encode_commitment_report(const CommitmentReport& report, std::string_view transfer_syntax);

} // namespace dcmpipe::net
