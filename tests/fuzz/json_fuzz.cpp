/// \file A line of a pipe, and a text of configuration: JSON in, nothing but Error out.

#include "core/error.hpp"
#include "core/json_file.hpp"
#include "core/record.hpp"
#include "core/utf8.hpp"
#include "fuzz/fuzz.hpp"

#include <nlohmann/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace dcmpipe;
    const auto text = fuzz::view(data, size);
    try {
        const auto line = Record::from_json(text).json();
        fuzz::must(is_utf8(line) && line.find('\n') == std::string::npos);
        fuzz::must(Record::from_json(line).json() == line);
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Input);
    }
    try {
        const auto json = JsonText::from_text("the input", "input", text);
        if (json.root().is_object() && !json.root().empty()) {
            json.fail("/" + json.root().begin().key(), "a reason");
        }
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Usage);
    }
    return 0;
}
