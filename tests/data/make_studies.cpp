/// \file make-studies: synthetic studies of invented people, or a corpus of malformed files.
///
/// make-studies OUT_DIR [--seed N] [--studies N] [--scale small|demo]
/// make-studies --hostile OUT_DIR
///
/// The bytes come from DCMTK's dcmdata, so that what our own reader and writer are tried on was made by
/// another hand. The same words give the same bytes.

#include "hostile.hpp"
#include "studies.hpp"

#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include <fmt/format.h>

namespace {

struct Words {
    std::string out;
    std::uint64_t seed = 1;
    unsigned studies = 12;
    studies::Scale scale = studies::small;
    bool hostile = false;
};

constexpr const char* usage = "make-studies OUT_DIR [--seed N] [--studies N] [--scale small|demo]\n"
                              "make-studies --hostile OUT_DIR\n";

template <class Number>
Number number_from(std::string_view text)
{
    Number number{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || rest != text.data() + text.size()) {
        throw std::invalid_argument{fmt::format("not a number: {}", text)};
    }
    return number;
}

Words parse(int argc, char** argv)
{
    Words words;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto value = [&] {
            if (++i == argc) {
                throw std::invalid_argument{fmt::format("{} needs a value", word)};
            }
            return std::string_view{argv[i]};
        };
        if (word == "--seed") {
            words.seed = number_from<std::uint64_t>(value());
        } else if (word == "--studies") {
            words.studies = number_from<unsigned>(value());
        } else if (word == "--scale") {
            const auto scale = value();
            if (scale != "small" && scale != "demo") {
                throw std::invalid_argument{fmt::format("no such scale: {}", scale)};
            }
            words.scale = scale == "demo" ? studies::demo : studies::small;
        } else if (word == "--hostile") {
            words.hostile = true;
        } else if (word.starts_with('-') || !words.out.empty()) {
            throw std::invalid_argument{fmt::format("unexpected word: {}", word)};
        } else {
            words.out = word;
        }
    }
    if (words.out.empty()) {
        throw std::invalid_argument{"no output folder"};
    }
    return words;
}

/// CT, MR and mixed studies in turn, a person after the other; those who come again come for another kind.
void make_study(unsigned number, const Words& words, studies::Store& store, studies::Ledger& ledger)
{
    const auto people = studies::people().size();
    const auto folder = fmt::format("study-{:03}", number + 1);
    studies::Visit visit{number % people, number, words.seed, ledger};
    switch ((number + number / people) % 3) {
    case 0: {
        auto scale = words.scale;
        scale.ct_slices = number == 0 ? scale.ct_slices : std::max(scale.ct_slices / 4, 6U);
        studies::make_ct_study(visit, store, scale, folder);
        break;
    }
    case 1:
        studies::make_mr_study(visit, store, words.scale, folder);
        break;
    default:
        studies::make_mixed_study(visit, store, folder);
    }
}

void make(const Words& words)
{
    if (words.hostile) {
        studies::make_hostile(words.out);
        return;
    }
    studies::Ledger ledger;
    studies::Store store{words.out, ledger};
    for (unsigned number = 0; number < words.studies; ++number) {
        make_study(number, words, store, ledger);
    }
    ledger.write(words.out, words.seed);
}

} // namespace

int main(int argc, char** argv)
{
    OFLog::configure(OFLogger::ERROR_LOG_LEVEL);
    try {
        const auto words = parse(argc, argv);
        make(words);
        return 0;
    } catch (const std::invalid_argument& error) {
        fmt::print(stderr, "make-studies: error: {}\n{}", error.what(), usage);
        return 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "make-studies: error: {}\n", error.what());
        return 1;
    }
}
