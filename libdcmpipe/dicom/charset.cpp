#include "dicom/charset.hpp"

#include "dicom/tags.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>

#include <iconv.h>

namespace dcmpipe::dicom {

namespace {

constexpr char escape = '\x1b';
constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

/// How the bytes of a set are read: alone through iconv, or two by two as one of the East Asian sets.
enum class Form { Single, Jis208, Jis212, Ksc5601, Gb2312, Whole };

struct Set {
    std::string_view term;   ///< ISO_IR and ISO 2022 IR mean the same set; digits of the registration
    std::string_view escape; ///< the sequence that designates it, without the ESC
    std::string_view iconv;  ///< glibc's name
    Form form;
};

/// PS3.3 Tables C.12-2 to C.12-5, and PS3.5 §6.1.2.4 for the escape sequences.
constexpr std::array<Set, 21> sets{{
    {"6", "(B", "ASCII", Form::Single},
    {"100", "-A", "ISO-8859-1", Form::Single},
    {"101", "-B", "ISO-8859-2", Form::Single},
    {"109", "-C", "ISO-8859-3", Form::Single},
    {"110", "-D", "ISO-8859-4", Form::Single},
    {"144", "-L", "ISO-8859-5", Form::Single},
    {"127", "-G", "ISO-8859-6", Form::Single},
    {"126", "-F", "ISO-8859-7", Form::Single},
    {"138", "-H", "ISO-8859-8", Form::Single},
    {"148", "-M", "ISO-8859-9", Form::Single},
    {"203", "-b", "ISO-8859-15", Form::Single},
    {"166", "-T", "TIS-620", Form::Single},
    {"13", ")I", "SHIFT_JIS", Form::Single},
    {"14", "(J", "ASCII", Form::Single}, // its yen sign is the backslash that parts values
    {"87", "$B", "EUC-JP", Form::Jis208},
    {"159", "$(D", "EUC-JP", Form::Jis212},
    {"149", "$)C", "EUC-KR", Form::Ksc5601},
    {"58", "$)A", "EUC-CN", Form::Gb2312},
    {"192", "", "UTF-8", Form::Whole},
    {"GB18030", "", "GB18030", Form::Whole},
    {"GBK", "", "GBK", Form::Whole},
}};

const Set& ascii = sets[0];
const Set& latin1 = sets[1];

const Set* find_set(std::string_view term)
{
    const auto* const found =
        std::find_if(sets.begin(), sets.end(), [&](const Set& s) { return s.term == term; });
    return found != sets.end() ? found : nullptr;
}

/// `ISO_IR 100`, `ISO 2022 IR 100`, `ISO-IR-100`, `iso8859-1`, `utf8`: letters and digits decide.
const Set* set_of_term(std::string_view value)
{
    std::string plain;
    for (const char c : value) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            plain += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
    }
    for (const std::string_view prefix : {"ISO2022IR", "ISOIR", "IR"}) {
        if (plain.starts_with(prefix)) {
            return find_set(std::string_view{plain}.substr(prefix.size()));
        }
    }
    if (plain == "UTF8") {
        return find_set("192");
    }
    return plain == "LATIN1" || plain == "ISO88591" ? &latin1 : find_set(plain);
}

/// In the sets of G0 a byte below 80 is text of the set; the others speak above it.
constexpr bool is_g0(Form form)
{
    return form == Form::Jis208 || form == Form::Jis212;
}

} // namespace

/// iconv descriptors, opened when first needed.
class CharacterSet::Converter {
public:
    Converter() = default;
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    ~Converter()
    {
        for (const auto& [name, descriptor] : open_) {
            if (descriptor != none) {
                ::iconv_close(descriptor);
            }
        }
    }

    /// What cannot be converted becomes U+FFFD, a byte at a time.
    std::string convert(std::string_view name, std::string bytes)
    {
        const auto descriptor = open("UTF-8", name);
        std::string out;
        if (descriptor == none) {
            return std::string{replacement};
        }
        char* in = bytes.data();
        std::size_t left = bytes.size();
        while (left > 0) {
            std::array<char, 256> buffer;
            char* to = buffer.data();
            std::size_t room = buffer.size();
            const auto result = ::iconv(descriptor, &in, &left, &to, &room);
            out.append(buffer.data(), to);
            if (result == static_cast<std::size_t>(-1) && errno != E2BIG && left > 0) {
                out += replacement;
                ++in;
                --left;
                ::iconv(descriptor, nullptr, nullptr, nullptr, nullptr);
            }
        }
        // glibc's UTF-8 goes on past U+10FFFF.
        return is_utf8(out) ? out : made_utf8(out);
    }

    /// From UTF-8; nothing where a character cannot be converted.
    std::optional<std::string> convert_back(std::string_view name, std::string text)
    {
        const auto descriptor = open(name, "UTF-8");
        if (descriptor == none) {
            return std::nullopt;
        }
        std::string out(text.size() * 4, '\0');
        char* in = text.data();
        char* to = out.data();
        std::size_t left = text.size();
        std::size_t room = out.size();
        ::iconv(descriptor, nullptr, nullptr, nullptr, nullptr);
        if (::iconv(descriptor, &in, &left, &to, &room) != 0 || left > 0) {
            return std::nullopt;
        }
        out.resize(out.size() - room);
        return out;
    }

private:
    /// What iconv_open() gives for a set that this system does not have.
    // NOLINTNEXTLINE(misc-misplaced-const,performance-no-int-to-ptr): so POSIX has it
    inline static const iconv_t none = reinterpret_cast<iconv_t>(-1);

    iconv_t open(std::string_view to, std::string_view from)
    {
        const auto way = std::string{to} + "<" + std::string{from};
        const auto found = open_.find(way);
        if (found != open_.end()) {
            return found->second;
        }
        return open_.emplace(way, ::iconv_open(std::string{to}.c_str(), std::string{from}.c_str()))
            .first->second;
    }

    std::map<std::string, iconv_t, std::less<>> open_;
};

struct CharacterSet::Terms {
    const Set* first = nullptr; ///< of the first value; null where none is declared
    bool extended = false;      ///< more values follow: escape sequences may switch
    mutable Converter converter;
};

namespace {

/// The text of one value run under code extension (PS3.5 §6.1.2.5): two sets designated at a time, the low
/// half read in one, the high half in the other.
class ExtendedText {
public:
    explicit ExtendedText(const Set* first) : first_(first != nullptr ? first : &ascii) { reset(); }

    template <class Convert>
    std::string read(std::string_view bytes, Convert convert)
    {
        std::string out;
        while (!bytes.empty()) {
            if (bytes.front() == escape && designate(bytes)) {
                continue;
            }
            const auto count = run_length(bytes);
            out += text_of(bytes.substr(0, count), convert);
            bytes.remove_prefix(count);
        }
        return out;
    }

private:
    void reset()
    {
        low_ = &ascii;
        high_ = is_g0(first_->form) ? &ascii : first_;
        if (first_->term == "13") {
            low_ = find_set("14");
        }
    }

    bool designate(std::string_view& bytes)
    {
        for (const Set& set : sets) {
            if (!set.escape.empty() && bytes.substr(1).starts_with(set.escape)) {
                const bool low = is_g0(set.form) || set.escape.front() == '(';
                (low ? low_ : high_) = &set;
                bytes.remove_prefix(1 + set.escape.size());
                return true;
            }
        }
        return false;
    }

    static bool is_delimiter(char c)
    {
        return c == '\\' || c == '^' || c == '=' || c == '\r' || c == '\n' || c == '\f' || c == '\t';
    }

    /// No letter of any set: spaces and controls mean the same in all, also where a writer forgot to leave
    /// the kanji before them.
    static bool is_blank(char c) { return c >= '\0' && c <= ' '; }

    /// Ends a run of the low half. The delimiters of names and values are letters in the sets of G0.
    bool ends_run(char c) const { return is_g0(low_->form) ? is_blank(c) : is_delimiter(c); }

    /// Bytes up to the next change: of half, by an escape sequence, or by a delimiter, which resets.
    std::size_t run_length(std::string_view bytes)
    {
        if (ends_run(bytes.front())) {
            if (is_delimiter(bytes.front())) {
                reset();
            }
            return 1;
        }
        const bool high = (bytes.front() & 0x80) != 0;
        std::size_t count = 1;
        while (count < bytes.size() && bytes[count] != escape && ((bytes[count] & 0x80) != 0) == high &&
               (high || !ends_run(bytes[count]))) {
            ++count;
        }
        return count;
    }

    template <class Convert>
    std::string text_of(std::string_view run, Convert convert) const
    {
        const bool high = (run.front() & 0x80) != 0;
        const Set& set = high ? *high_ : is_blank(run.front()) && run.size() == 1 ? ascii : *low_;
        std::string bytes;
        for (std::size_t i = 0; i < run.size(); ++i) {
            // EUC has the sets of G0 with the high bit set, JIS X 0212 behind a single shift.
            if (set.form == Form::Jis212 && i % 2 == 0) {
                bytes += '\x8f';
            }
            bytes += static_cast<char>(is_g0(set.form) ? run[i] | 0x80 : run[i]);
        }
        return convert(set.iconv, std::move(bytes));
    }

    const Set* first_;
    const Set* low_ = nullptr;
    const Set* high_ = nullptr;
};

bool is_plain(std::string_view bytes)
{
    return std::none_of(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) != 0 || c == escape; });
}

} // namespace

CharacterSet::CharacterSet(std::string_view value) : terms_(std::make_unique<Terms>())
{
    const auto end = std::min(value.find('\\'), value.size());
    terms_->first = set_of_term(value.substr(0, end));
    terms_->extended = end < value.size() || value.find("2022") != std::string_view::npos;
}

CharacterSet::CharacterSet(CharacterSet&&) noexcept = default;
CharacterSet& CharacterSet::operator=(CharacterSet&&) noexcept = default;
CharacterSet::~CharacterSet() = default;

std::string CharacterSet::to_utf8(std::string_view bytes) const
{
    if (is_plain(bytes)) {
        return std::string{bytes};
    }
    const auto convert = [&](std::string_view name, std::string text) {
        return terms_->converter.convert(name, std::move(text));
    };
    const bool declared = terms_->first != nullptr && terms_->first != &ascii;
    if (!declared && !terms_->extended) {
        return is_utf8(bytes) ? std::string{bytes} : convert(latin1.iconv, std::string{bytes});
    }
    if (declared && terms_->first->form == Form::Whole) {
        return convert(terms_->first->iconv, std::string{bytes});
    }
    return ExtendedText{terms_->first}.read(bytes, convert);
}

std::optional<std::string> CharacterSet::from_utf8(std::string_view text) const
{
    if (is_plain(text)) {
        return std::string{text};
    }
    const bool declared = terms_->first != nullptr && terms_->first != &ascii;
    const bool one_set = declared && !terms_->extended &&
                         (terms_->first->form == Form::Single || terms_->first->form == Form::Whole);
    if (!one_set) {
        return std::nullopt;
    }
    auto bytes = terms_->converter.convert_back(terms_->first->iconv, std::string{text});
    // iconv's Shift JIS holds more than ISO_IR 13 does, kanji above all.
    return bytes && to_utf8(*bytes) == text ? bytes : std::nullopt;
}

std::string_view character_set_at(const ElementIndex& index, std::uint32_t element) noexcept
{
    for (auto at = index[element].parent; at != ElementIndex::None; at = index[at].parent) {
        const auto own =
            index[at].is_item() ? index.text(tags::SpecificCharacterSet, at) : std::string_view{};
        if (!own.empty()) {
            return own;
        }
    }
    return index.text(tags::SpecificCharacterSet);
}

} // namespace dcmpipe::dicom
