// The multipart parser: the same parts whatever the pieces (cut at every point), and refusals.
#include "http/multipart.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace heddle::http {
namespace {

struct Part {
    PartHeader header;
    std::string data;
    bool ended = false;
};

class Collector final : public MultipartSink {
public:
    Result<> begin_part(const PartHeader& header) override {
        parts.push_back({header, "", false});
        return {};
    }
    Result<> part_data(std::string_view bytes) override {
        EXPECT_FALSE(bytes.empty());
        parts.back().data += bytes;
        return {};
    }
    Result<> end_part() override {
        parts.back().ended = true;
        return {};
    }
    std::vector<Part> parts;
};

Result<std::vector<Part>> parse(const std::vector<std::string_view>& pieces,
                                MultipartLimits limits = {}) {
    Collector collector;
    MultipartParser parser("XX", collector, limits);
    for (const std::string_view piece : pieces) HEDDLE_TRY_VOID(parser.feed(piece));
    HEDDLE_TRY_VOID(parser.finish());
    return collector.parts;
}

// Content that looks like boundaries, an empty part, padding, preamble and epilogue.
const std::string kBody =
    "preamble\r\n--XX\r\n"
    "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".pdf\"\r\n"
    "Content-Type: application/pdf\r\n\r\n"
    "%PDF\r\n--X\r\n-\r\n--XY--XX\r\r\n\r\n--XX \t\r\n"
    "content-disposition: form-data; name=empty\r\n\r\n"
    "\r\n--XX\r\n"
    "Content-Disposition: form-data; name=\"n\"; filename=\"\"\r\n\r\n"
    "x\r\n--XX--\r\nepilogue --XX";

void expect_the_three_parts(const Result<std::vector<Part>>& parts, std::size_t cut) {
    ASSERT_TRUE(parts) << "cut at " << cut << ": " << parts.error().message();
    ASSERT_EQ(parts->size(), 3u) << "cut at " << cut;
    EXPECT_EQ((*parts)[0].header.name, "file");
    EXPECT_EQ((*parts)[0].header.file_name, "a \"b\".pdf");
    EXPECT_EQ((*parts)[0].header.content_type, "application/pdf");
    EXPECT_EQ((*parts)[0].data, "%PDF\r\n--X\r\n-\r\n--XY--XX\r\r\n") << "cut at " << cut;
    EXPECT_EQ((*parts)[1].header.name, "empty");
    EXPECT_FALSE((*parts)[1].header.is_file);
    EXPECT_EQ((*parts)[1].data, "");
    EXPECT_TRUE((*parts)[2].header.is_file);
    EXPECT_EQ((*parts)[2].data, "x");
    for (const Part& part : *parts) EXPECT_TRUE(part.ended);
}

TEST(Multipart, YieldsTheSamePartsCutAtEveryPoint) {
    const std::string_view body = kBody;
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        expect_the_three_parts(parse({body.substr(0, cut), body.substr(cut)}), cut);
    }
}

TEST(Multipart, YieldsTheSamePartsByteByByte) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < kBody.size(); ++i) {
        pieces.push_back(std::string_view(kBody).substr(i, 1));
    }
    expect_the_three_parts(parse(pieces), 1);
}

TEST(Multipart, TakesABodyThatIsOnlyTheEnd) {
    const auto parts = parse({"--XX--"});
    ASSERT_TRUE(parts);
    EXPECT_TRUE(parts->empty());
}

TEST(Multipart, RefusesWhatIsMalformed) {
    const std::string head = "--XX\r\nContent-Disposition: form-data; name=a\r\n";
    const std::vector<std::string> bodies = {
        "",
        "no boundary",
        "--XX",
        "--XX\r\n",
        head + "\r\ndata",
        head + "\r\ndata\r\n--XX",
        head + "\r\ndata\r\n--XXjunk\r\n",
        "--XX\r\n\r\ndata\r\n--XX--",
        "--XX\r\nContent-Type: text/plain\r\n\r\ndata\r\n--XX--",
        "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\ndata\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data\r\n\r\ndata\r\n--XX--",
        head + "Content-Disposition: form-data; name=b\r\n\r\nd\r\n--XX--",
        head + "no colon\r\n\r\nd\r\n--XX--",
        head + "Bad Name: x\r\n\r\nd\r\n--XX--",
        head + "X: " + std::string(9000, 'x') + "\r\n\r\nd\r\n--XX--",
        std::string(9000, 'x') + "\r\n--XX--",
    };
    for (const std::string& body : bodies) {
        const auto parts = parse({body});
        EXPECT_FALSE(parts) << body.substr(0, 80);
        if (!parts) {
            EXPECT_EQ(parts.error().code(), ErrorCode::kInvalidArgument);
        }
    }
}

TEST(Multipart, CountsParts) {
    std::string body;
    for (int i = 0; i < 4; ++i) {
        body += "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nd\r\n";
    }
    MultipartLimits limits;
    limits.parts = 4;
    EXPECT_TRUE(parse({body + "--XX--"}, limits));
    limits.parts = 3;
    EXPECT_FALSE(parse({body + "--XX--"}, limits));
}

TEST(MultipartBoundary, ComesOutOfTheContentType) {
    EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc").value(), "abc");
    EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b\"").value(),
              "a b");
    EXPECT_FALSE(multipart_boundary("multipart/form-data"));
    EXPECT_FALSE(multipart_boundary("multipart/mixed; boundary=abc"));
    EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=\"\""));
    EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=a\"b"));
    EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'a')));
}

}  // namespace
}  // namespace heddle::http
