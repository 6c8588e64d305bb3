// The cases of Pragmatic Segmenter's golden rules, and the promises of the header on any text.
#include "text/sentences.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

// Sentences are written with a bar between them; the text is the same without the bars.
struct Case {
    std::string_view sentences;
    std::string_view gap = " ";  // what stands between them in the text
};

std::vector<std::string> split_at_bars(std::string_view text) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t bar = text.find('|');
        parts.emplace_back(text.substr(0, bar));
        if (bar == text.npos) return parts;
        text.remove_prefix(bar + 1);
    }
}

std::vector<std::string> sentences_of(std::string_view text) {
    std::vector<std::string> sentences;
    for (const ByteRange range : split_sentences(text)) {
        sentences.emplace_back(text.substr(range.begin, range.size()));
    }
    return sentences;
}

void expect_split(const Case& example) {
    const std::vector<std::string> expected = split_at_bars(example.sentences);
    std::string text;
    for (const std::string& sentence : expected) {
        if (!text.empty()) text += example.gap;
        text += sentence;
    }
    EXPECT_EQ(sentences_of(text), expected) << text;
}

const Case kGoldenRules[] = {
    {"Hello World.|My name is Jonas."},
    {"What is your name?|My name is Jonas."},
    {"There it is!|I found it."},
    {"My name is Jonas E. Smith."},
    {"Please turn to p. 55."},
    {"Were Jane and co. at the party?"},
    {"They closed the deal with Pitt, Briggs & Co. at noon."},
    {"Let's ask Jane and co.|They should know."},
    {"They closed the deal with Pitt, Briggs & Co.|It closed yesterday."},
    {"I can see Mt. Fuji from here."},
    {"St. Michael's Church is on 5th st. near the light."},
    {"That is JFK Jr.'s book."},
    {"I visited the U.S.A. last year."},
    {"I live in the E.U.|How about you?"},
    {"I live in the U.S.|How about you?"},
    {"I work for the U.S. Government in Virginia."},
    {"I have lived in the U.S. for 20 years."},
    {"At 5 a.m. Mr. Smith went to the bank.|He left the bank at 6 P.M.|"
     "Mr. Smith then went to the store."},
    {"She has $100.00 in her bag."},
    {"She has $100.00.|It is in her bag."},
    {"He teaches science (He previously worked for 5 years as an engineer.) at the local "
     "University."},
    {"Her email is Jane.Doe@example.com.|I sent her an email."},
    {"The site is: https://www.example.50.com/new-site/awesome_content.html.|"
     "Please check it out."},
    {"She turned to him, 'This is great.' she said."},
    {"She turned to him, \"This is great.\" she said."},
    {"She turned to him, \"This is great.\"|She held the book out to show him."},
    {"Hello!!|Long time no see."},
    {"Hello??|Who is there?"},
    {"Hello!?|Is that you?"},
    {"Hello?!|Is that you?"},
    {"1.) The first item|2.) The second item"},
    {"1.) The first item.|2.) The second item."},
    {"1) The first item|2) The second item"},
    {"1) The first item.|2) The second item."},
    {"1. The first item|2. The second item"},
    {"1. The first item.|2. The second item."},
    {"• 9. The first item|• 10. The second item"},
    {"⁃9. The first item|⁃10. The second item"},
    {"a. The first item|b. The second item|c. The third list item"},
    {"This is a sentence\ncut off in the middle because pdf."},
    {"It was a cold \nnight in the city."},
    {"features|contact manager|events, activities", "\n"},
    {"You can find it at N°. 1026.253.553.|That is where the treasure is."},
    {"She works at Yahoo! in the accounting department."},
    {"We make a good team, you and I.|Did you see Albert I. Jones yesterday?"},
    {"Thoreau argues that by simplifying one’s life, “the laws of the universe will appear less "
     "complex. . . .”"},
    {"\"Bohr [...] used the analogy of parallel stairways [...]\" (Smith 55)."},
    {"If words are left off at the end of a sentence, and that is all that is omitted, indicate "
     "the omission with ellipsis marks (preceded and followed by a space) and then indicate the "
     "end of the sentence with a period . . . .|Next sentence."},
    {"I never meant that....|She left the store."},
    {"I wasn’t really ... well, what I mean...see . . . what I'm saying, the thing is . . . I "
     "didn’t mean it."},
    {"One further habit which was somewhat weakened . . . was that of combining words into "
     "self-interpreting compounds.|. . . The practice was not abandoned. . . ."},
};

TEST(Sentences, FollowTheGoldenRules) {
    for (const Case& rule : kGoldenRules) expect_split(rule);
    expect_split(
        {"Hello world.|Today is Tuesday.|Mr. Smith went to the store and bought 1,000.|"
         "That is a lot.",
         ""});
}

TEST(Sentences, OtherScripts) {
    expect_split({"これはペンです。|それはマーカーです。", ""});
    expect_split({"それは何ですか？|ペンですか？", ""});
    expect_split({"良かったね！|すごい！", ""});
    expect_split(
        {"自民党税制調査会の幹部は、「引き下げ幅は３．２９％以上を目指すことになる」と指摘していて"
         "、"
         "今後、公明党と合意した。|次の文です。",
         ""});
    expect_split({"彼は「行く。」と言った。|そして行った。", ""});
    expect_split({"安永已有兩座市場。|是否需要重建？|不知道！", ""});
    expect_split({"यह पहला वाक्य है।|यह दूसरा है।"});
    expect_split({"ماذا حدث بعد الانتخابات؟|لا أعرف."});
    expect_split({"Это первое предложение.|А это второе!"});
}

TEST(Sentences, ProseOfReports) {
    expect_split({"Revenue rose by 3.5 percent (see Fig. 3).|Costs fell."});
    expect_split(
        {"The method of Smith et al. is older.|It was published in vol. 12, pp. 3-9, by "
         "Dr. A. B. Jones, Ph.D., in Jan. 1999."});
    expect_split({"“Is it true?” he asked.|“Yes.”|She nodded."});
    expect_split({"(This stands alone.)|The next one does too."});
    expect_split({"Was it No. 5?|No.|It was not."});
    expect_split({"1. Introduction"});
    expect_split({"A heading|Then a paragraph begins.", "\n\n"});
    expect_split({"Versions 1.2.3 and 2.0 of Node.js run, e.g. on Linux.|Others do not."});
    expect_split(
        {"A line of a page that was broken because it had become too long for\nIts "
         "column goes on."});
}

TEST(Sentences, NothingOfNothing) {
    EXPECT_TRUE(split_sentences("").empty());
    EXPECT_TRUE(split_sentences(" \n\t\u3000 ").empty());
}

TEST(Sentences, CoverAllButWhiteSpace) {
    constexpr std::u32string_view kAlphabet = U"aB1. .!?()[]\"'\n …。「」と•-I";
    const std::uint64_t seed = 20261122;
    Rng rng(seed);
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::uint64_t left = rng.below(40); left > 0; --left) {
            append_utf8(text, kAlphabet[rng.below(kAlphabet.size())]);
        }
        std::uint32_t done = 0;
        for (const ByteRange range : split_sentences(text)) {
            ASSERT_LT(range.begin, range.end) << text;
            ASSERT_EQ(text.substr(done, range.begin - done).find_first_not_of(" \n"), text.npos)
                << text;
            ASSERT_EQ(floor_utf8(text, range.begin), range.begin) << text;
            done = range.end;
        }
        ASSERT_EQ(text.substr(done).find_first_not_of(" \n"), text.npos) << text;
    }
}

}  // namespace
}  // namespace heddle::text
