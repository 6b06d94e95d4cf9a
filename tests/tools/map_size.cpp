/// \file map-size: how large a link map grows, and how long it takes to find something in it.
///
/// map-size FOLDER INSTANCES
///
/// Fills a new map in FOLDER as dpipe-anon does (transactions of 128 instances, 250 a series, 4 series a
/// study, 4 studies a patient), then looks up instances, patients and originals at random. Prints a line of
/// JSON.

#include "core/error.hpp"
#include "dicom/encode.hpp"
#include "dicom/tags.hpp"
#include "pseudonym/map.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>

#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;
namespace tags = dcmpipe::dicom::tags;
namespace vr = dcmpipe::dicom::vr;
using namespace dcmpipe;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t per_series = 250;
constexpr std::uint64_t per_study = 4 * per_series;
constexpr std::uint64_t per_patient = 4 * per_study;
constexpr std::uint64_t per_transaction = 128;

std::string uid(std::string_view kind, std::uint64_t number)
{
    return fmt::format("1.2.840.113619.2.55.3.604688119.{}.{}", kind.size(), number);
}

/// What the basic profile takes from a CT or MR slice: 30 attributes of the series, 5 of its own.
std::map<dicom::Tag, std::string> elements_of(std::uint64_t number)
{
    std::map<dicom::Tag, std::string> elements;
    const auto add = [&](dicom::Tag tag, dicom::Vr vr, const std::string& value) {
        elements.emplace(tag, dicom::encode_element(tag, vr, value, dicom::ExplicitLittleEndian));
    };
    const auto series = number / per_series;
    add(tags::PatientName, vr::PN, fmt::format("Patient^Number{}", number / per_patient));
    add(tags::PatientID, vr::LO, fmt::format("MRN{:08}", number / per_patient));
    add(tags::StudyInstanceUID, vr::UI, uid("study", number / per_study));
    add(tags::SeriesInstanceUID, vr::UI, uid("series", series));
    for (std::uint16_t i = 0; i < 26; ++i) {
        add(dicom::Tag{0x0040, static_cast<std::uint16_t>(0x0240 + i)}, vr::LO,
            fmt::format("a text of the series {} in attribute {}", series, i));
    }
    add(tags::SOPInstanceUID, vr::UI, uid("instance", number));
    add(tags::InstanceCreationTime, vr::TM, fmt::format("{:06}.{:06}", number % 240000, number % 999983));
    add(tags::AcquisitionTime, vr::TM, fmt::format("{:06}.{:06}", number % 240000, number % 999979));
    add(tags::ContentTime, vr::TM, fmt::format("{:06}.{:06}", number % 240000, number % 999961));
    add(tags::AcquisitionDate, vr::DA, "20240131");
    return elements;
}

void fill(pseudonym::Map& map, const pseudonym::Key& key, std::uint64_t instances)
{
    std::vector<pseudonym::Originals> batch;
    std::int64_t patient = 0;
    for (std::uint64_t n = 0; n < instances; ++n) {
        if (n % per_patient == 0) {
            patient =
                map.patient({"", fmt::format("MRN{:08}", n / per_patient)}, {.particulars = "{}"}).number;
        }
        batch.push_back(
            {key.uid(uid("instance", n)),
             key.uid(uid("series", n / per_series)),
             key.uid(uid("study", n / per_study)),
             patient,
             "1.2.840.10008.1.2.1",
             elements_of(n),
             {tags::PatientIdentityRemoved}});
        if (batch.size() == per_transaction || n + 1 == instances) {
            map.remember(batch);
            batch.clear();
        }
    }
}

struct Times {
    double median_us = 0;
    double p99_us = 0;
    double most_us = 0;
};

template <class Work>
Times times_of(Work work)
{
    constexpr std::size_t looks = 2000;
    std::vector<double> times;
    for (std::size_t i = 0; i < looks; ++i) {
        const auto start = Clock::now();
        work();
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    return {times[looks / 2], times[looks * 99 / 100], times.back()};
}

std::string json(std::string_view name, const Times& times)
{
    return fmt::format(
        R"("{}":{{"median_us":{:.0f},"p99_us":{:.0f},"most_us":{:.0f}}})", name, times.median_us,
        times.p99_us, times.most_us);
}

void measure(const fs::path& folder, std::uint64_t instances)
{
    const auto key = pseudonym::Key::generate();
    const auto restore_key = pseudonym::RestoreKey::generate();
    const auto path = folder / "link.db";
    pseudonym::Map::create(path, key, restore_key);
    const auto start = Clock::now();
    {
        auto map = pseudonym::Map::open(path, key);
        fill(map, key, instances);
    }
    const auto seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const auto map = pseudonym::Map::open(path, key);
    std::mt19937_64 random{1};
    const auto any = [&] { return random() % instances; };
    std::size_t unknown = 0;
    const auto expect = [&](bool found) { unknown += found ? 0 : 1; };
    const auto instance = times_of([&] { expect(map.knows(key.uid(uid("instance", any())))); });
    const auto patient = times_of([&] {
        expect(map.find({"", fmt::format("MRN{:08}", any() / per_patient)}).has_value());
    });
    const auto originals =
        times_of([&] { expect(map.recall(key.uid(uid("instance", any())), restore_key).has_value()); });
    if (unknown != 0) {
        throw Error{ErrorKind::Internal, fmt::format("{} were not found", unknown)};
    }
    fmt::print(
        R"({{"instances":{},"bytes_an_instance":{:.0f},"filled_s":{:.0f},{},{},{}}})"
        "\n",
        instances, static_cast<double>(fs::file_size(path)) / static_cast<double>(instances), seconds,
        json("instance", instance), json("patient", patient), json("originals", originals));
}

} // namespace

int main(int argc, char** argv)
{
    try {
        if (argc != 3) {
            fmt::print(stderr, "usage: map-size FOLDER INSTANCES\n");
            return 2;
        }
        measure(argv[1], std::stoull(argv[2]));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "map-size: error: {}\n", error.what());
        return 1;
    }
}
