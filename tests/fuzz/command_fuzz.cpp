/// \file A DIMSE command set: parsed or refused; what we write of it we read as the same.

#include "core/error.hpp"
#include "fuzz/fuzz.hpp"
#include "net/command.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace dcmpipe;
    using net::Command;
    try {
        const auto command = Command::parse(fuzz::view(data, size));
        const auto encoded = command.encode();
        fuzz::must(encoded.size() % 2 == 0);
        fuzz::must(encoded.size() > Command::longest || Command::parse(encoded).encode() == encoded);
        const auto answer = Command::response_to(command, net::status::Success);
        fuzz::must(answer.responds_to() == command.message_id() && !answer.has_data_set());
        static_cast<void>(net::name_of(command.field()));
        static_cast<void>(answer.encode());
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Peer);
    }
    return 0;
}
