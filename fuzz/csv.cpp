// Tables as text: every byte is looked at once, and rows end.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "ingest/csv/csv_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::ingest::csv;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    RowReader rows(text, find_separator(text));
    Row row;
    std::size_t count = 0;
    while (rows.next(row)) {
        HEDDLE_CHECK(!row.empty() && row.size() <= RowReader::kColumnsMax, "a row has fields");
        (void)is_header(row);
        ++count;
    }
    HEDDLE_CHECK(count <= size, "no row out of nothing");
    return 0;
}
