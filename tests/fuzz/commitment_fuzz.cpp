/// \file A request for storage commitment: read or refused; a report of all it names is a data set. The first byte
/// says in which transfer syntax.

#include "core/error.hpp"
#include "dicom/element_index.hpp"
#include "fuzz/fuzz.hpp"
#include "net/async_window.hpp"
#include "net/commitment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace dcmpipe;
    using namespace dicom::transfer_syntax;
    const auto bytes = fuzz::view(data, size);
    static_cast<void>(net::window_of(bytes));
    if (bytes.empty()) {
        return 0;
    }
    const auto syntax = (bytes[0] & 1) != 0 ? ExplicitVRLittleEndian : ImplicitVRLittleEndian;
    try {
        const auto request = net::parse_commitment_request(bytes.substr(1), syntax);
        fuzz::must(!request.instances.empty());
        net::CommitmentReport report{.transaction_uid = request.transaction_uid};
        for (const auto& instance : request.instances) {
            report.committed.push_back(instance);
            report.failed.push_back({instance, 0x0112});
        }
        const auto written = net::encode_commitment_report(report, syntax);
        const auto read = net::parse_commitment_request(written, syntax);
        fuzz::must(read.instances.size() == request.instances.size());
        fuzz::must(read.transaction_uid == request.transaction_uid);
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Peer);
    }
    return 0;
}
