// A character that several tokens spell comes out whole, with the last of them.
#include "text/stream_decoder.h"

#include <memory>

#include <gtest/gtest.h>

#include "text/tokenizer_vocabulary.h"

namespace heddle::text {
namespace {

std::shared_ptr<const Tokenizer> byte_tokenizer() {
    VocabularyData data;
    data.model = "llama";
    data.tokens = {"<unk>",  "<s>",    "\u2581", "a",     "\u2581a",
                   "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"};
    data.scores.assign(data.tokens.size(), 0);
    data.token_types = {2, 3, 1, 1, 1, 6, 6, 6, 6};
    data.unknown = 0;
    data.bos = 1;
    return tokenizer_from_vocabulary(data).value();
}

TEST(StreamDecoder, HoldsBackPartsOfCharacters) {
    StreamDecoder stream(byte_tokenizer());
    EXPECT_EQ(stream.push(1), "");
    EXPECT_EQ(stream.push(4), "a");  // the space that the tokenizer put before the text is gone
    EXPECT_EQ(stream.push(4), " a");
    EXPECT_EQ(stream.push(5), "");
    EXPECT_EQ(stream.push(6), "");
    EXPECT_EQ(stream.push(7), "");
    EXPECT_EQ(stream.push(8), "\U0001F600");
    EXPECT_EQ(stream.push(5), "");
    EXPECT_EQ(stream.push(3), "\uFFFDa");
    EXPECT_EQ(stream.push(5), "");
    EXPECT_EQ(stream.finish(), "\uFFFD");
    EXPECT_EQ(stream.push(4), "a");
}

TEST(StreamDecoder, KeepsTheSpaceOfAContinuation) {
    StreamDecoder stream(byte_tokenizer(), true);
    EXPECT_EQ(stream.push(4), " a");
    EXPECT_EQ(stream.push(99), "");
    EXPECT_EQ(stream.push(-1), "");
}

}  // namespace
}  // namespace heddle::text
