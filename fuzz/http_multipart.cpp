// A multipart body with the boundary "B", whole and cut where the first byte says: the same parts.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/multipart.h"

namespace {

class Transcript final : public heddle::http::MultipartSink {
public:
    heddle::Result<> begin_part(const heddle::http::PartHeader& header) override {
        text += "begin " + header.name + "/" + header.file_name + "/" + header.content_type + ":";
        return {};
    }
    heddle::Result<> part_data(std::string_view bytes) override {
        text += bytes;
        return {};
    }
    heddle::Result<> end_part() override {
        text += ":end";
        return {};
    }
    std::string text;
};

std::string parse(std::string_view input, std::size_t cut) {
    Transcript transcript;
    heddle::http::MultipartParser parser("B", transcript);
    for (const std::string_view piece : {input.substr(0, cut), input.substr(cut)}) {
        if (!parser.feed(piece)) return "malformed";
    }
    return parser.finish() ? transcript.text : "malformed";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = input.empty() ? 0 : data[0] % (input.size() + 1);
    if (parse(input, 0) != parse(input, cut)) std::abort();
    (void)heddle::http::multipart_boundary(input);
    return 0;
}
