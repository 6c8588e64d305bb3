// The parts of a Word document, as they come out of its archive: styles, a zero byte, the body.
#include <cstdint>
#include <string_view>

#include "ingest/docx/body_handler.h"
#include "ingest/docx/styles.h"
#include "null_record_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::ingest;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t zero = text.find('\0');
    docx::Styles styles;
    if (zero != std::string_view::npos) styles.read(text.substr(zero + 1));
    auto records = null_record_writer();
    BlockWriter blocks(records, {});
    docx::BodyHandler body(blocks, styles);
    (void)package::parse_xml(text.substr(0, zero), body);
    (void)blocks.finish();
    return 0;
}
