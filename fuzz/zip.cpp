// Archives: every entry of whatever calls itself one is read, and the limits hold.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "ingest/package/zip_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::ingest::package;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    constexpr ZipLimits kLimits{
        .entries = 100, .entry_bytes = 1 << 20, .total_bytes = 4 << 20, .ratio = 100};
    auto archive = ZipArchive::open(bytes, kLimits);
    if (!archive) return 0;
    for (const char* name : {"a", "mimetype", "word/document.xml", "META-INF/container.xml"}) {
        const auto text = archive->read(name);
        if (text) HEDDLE_CHECK(text->size() <= kLimits.entry_bytes, "within the limit");
    }
    return 0;
}
