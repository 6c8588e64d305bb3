#include <gtest/gtest.h>
#include <zlib.h>

#include "fetch/content_decoder.h"
#include "fetch/content_type.h"

namespace heddle::fetch {
namespace {

std::string deflated(std::string_view text, int window_bits) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

constexpr int kGzip = 31;
constexpr int kZlib = 15;
constexpr int kBare = -15;

Result<std::string> decoded(std::string_view encoding, std::string_view bytes, std::size_t piece,
                            DecodeLimits limits = {}) {
    HEDDLE_TRY(auto decoder, ContentDecoder::create(encoding, limits));
    while (!bytes.empty()) {
        HEDDLE_TRY_VOID(decoder->feed(bytes.substr(0, piece)));
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    HEDDLE_TRY_VOID(decoder->finish());
    return decoder->take();
}

TEST(ContentDecoder, UndoesEachEncodingInAnyPieces) {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "line " + std::to_string(i * 7919 % 10007) + "\n";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{1} << 20}) {
        EXPECT_EQ(decoded("", text, piece).value(), text);
        EXPECT_EQ(decoded("GZip", deflated(text, kGzip), piece).value(), text);
        EXPECT_EQ(decoded("x-gzip", deflated(text, kGzip), piece).value(), text);
        EXPECT_EQ(decoded("deflate", deflated(text, kZlib), piece).value(), text);
        EXPECT_EQ(decoded("deflate", deflated(text, kBare), piece).value(), text);
        EXPECT_EQ(decoded("gzip", deflated("a", kGzip) + deflated("b", kGzip), piece).value(),
                  "ab");
    }
    // "hello brotli" by the reference encoder at quality 0, and an empty stream.
    EXPECT_EQ(decoded("br", "\x8b\x05\x80hello brotli\x03", 3).value(), "hello brotli");
    EXPECT_EQ(decoded("br", "\x06", 1).value(), "");
    EXPECT_EQ(decoded("gzip", "", 1).value(), "");
}

TEST(ContentDecoder, StopsBombs) {
    const std::string bomb = deflated(std::string(50 << 20, '\0'), kGzip);
    EXPECT_LT(bomb.size(), 100U << 10);
    const auto out = decoded("gzip", bomb, 4096);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code(), ErrorCode::kTooLarge);
    // A ratio over 100 is refused long before the cap.
    auto decoder = ContentDecoder::create("gzip", {}).value();
    EXPECT_FALSE(decoder->feed(bomb));
    EXPECT_LT(decoder->text().size(), 12U << 20);
    EXPECT_FALSE(decoded("", std::string(100, 'x'), 10, {99, 100}));
    EXPECT_TRUE(decoded("", std::string(99, 'x'), 10, {99, 100}));
}

TEST(ContentDecoder, RefusesDamageAndStrangeEncodings) {
    const std::string whole = deflated("some text that is long enough to be cut", kGzip);
    EXPECT_EQ(decoded("gzip", whole.substr(0, whole.size() / 2), 8).error().code(),
              ErrorCode::kCorrupt);
    EXPECT_EQ(decoded("gzip", "not gzip at all", 8).error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(decoded("br", "\xff\xff\xff\xff", 8).error().code(), ErrorCode::kCorrupt);
    for (const char* name : {"zstd", "compress", "gzip, gzip", "br,gzip", "aes128gcm"}) {
        EXPECT_EQ(decoded(name, "x", 1).error().code(), ErrorCode::kUnsupportedType) << name;
    }
}

TEST(ContentType, BelievesTheTypeOnlyWithTheBytes) {
    EXPECT_EQ(kind_of_content("text/html; charset=utf-8", "<p>x"), ContentKind::kHtml);
    EXPECT_EQ(kind_of_content("Application/XHTML+xml", "<p>x"), ContentKind::kHtml);
    EXPECT_EQ(kind_of_content("", "<p>x"), ContentKind::kHtml);
    EXPECT_EQ(kind_of_content("text/plain", "words"), ContentKind::kText);
    EXPECT_EQ(kind_of_content("application/pdf", "%PDF-1.7"), ContentKind::kPdf);
    EXPECT_EQ(kind_of_content("text/html", "%PDF-1.7"), ContentKind::kPdf);
    EXPECT_EQ(kind_of_content("application/pdf", "<p>x"), ContentKind::kOther);
    EXPECT_EQ(kind_of_content("text/html", "\x89PNG\r\n\x1a\n"), ContentKind::kOther);
    EXPECT_EQ(kind_of_content("text/html", std::string_view("a\0b\0c\1", 6)), ContentKind::kOther);
    EXPECT_EQ(kind_of_content("text/plain", std::string_view("\xFF\xFE"
                                                             "a\0b\0",
                                                             6)),
              ContentKind::kText);
    for (const char* type : {"image/png", "application/json", "application/octet-stream",
                             "text/javascript", "video/mp4", "multipart/x-mixed-replace"}) {
        EXPECT_EQ(kind_of_type(type), ContentKind::kOther) << type;
    }
}

}  // namespace
}  // namespace heddle::fetch
