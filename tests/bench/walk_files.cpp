/// \file walk-files: opens and indexes DICOM files, for who counts what that costs.
///
/// walk-files ROUNDS FILE... prints the number of elements seen in one round.

#include "core/error.hpp"
#include "dicom/instance.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

int main(int argc, char** argv)
{
    using namespace dcmpipe;
    std::uint64_t elements = 0;
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
    for (int round = 0; round < rounds; ++round) {
        elements = 0;
        for (int i = 2; i < argc; ++i) {
            try {
                elements += dicom::Instance::open(argv[i]).data_set().size();
            } catch (const Error& error) {
                fmt::print(stderr, "walk-files: error: {}\n", error.what());
                return 1;
            }
        }
    }
    fmt::print("{}\n", elements);
    return elements > 0 ? 0 : 2;
}
