/// \file A table: read or refused; what we write of it reads as the same cells.

#include "core/csv.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace dcmpipe;
    try {
        const auto table = parse_csv(fuzz::view(data, size), "input");
        auto text = csv_line(table.header);
        for (const auto& row : table.rows) {
            text += csv_line(row.cells);
        }
        fuzz::must(is_utf8(text));
        // One cell a line may be taken for another separator's, and does not tell a blank line from a cell.
        if (table.header.size() > 1) {
            const auto again = parse_csv(text, "again");
            fuzz::must(again.header == table.header && again.rows.size() == table.rows.size());
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                fuzz::must(again.rows[i].cells == table.rows[i].cells);
            }
        }
    } catch (const Error& error) {
        fuzz::must(error.kind() == ErrorKind::Usage);
    }
    return 0;
}
