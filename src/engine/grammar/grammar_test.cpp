#include "engine/grammar/grammar.h"

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/grammar/matcher.h"

namespace heddle::engine::grammar {
namespace {

// Every byte is a token, and so are some longer pieces, as in real vocabularies.
const TokenTable& tokens() {
    static const TokenTable table = [] {
        TokenTable made;
        for (int byte = 0; byte < 256; ++byte) {
            made.add(std::string(1, static_cast<char>(byte)), false);
        }
        for (const char* piece :
             {"\": \"", "\",",      "{\"",  "name", "na",   "\"}",        "true",
              "123",    "\xC3\xA9", "], [", "abc",  "    ", "\n  ",       " \"",
              "\\n",    "\\u00",    "a\"",  "0.",   "}}",   "hello world"}) {
            made.add(piece, false);
        }
        made.add("<end>", true);
        return made;
    }();
    return table;
}
constexpr TokenId kEnd = 276;

const TokenTrie& trie() {
    static const TokenTrie built(tokens());
    return built;
}

std::shared_ptr<Machine> machine(Result<Grammar> grammar) {
    EXPECT_TRUE(grammar.has_value()) << grammar.error().message();
    return std::make_shared<Machine>(std::make_shared<const Grammar>(std::move(*grammar)), trie());
}

bool matches(const std::shared_ptr<Machine>& machine, std::string_view text) {
    Matcher matcher(machine);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    return matcher.accept_bytes({bytes, text.size()}) && matcher.is_whole();
}

bool schema_matches(const std::string& schema, std::string_view text,
                    const JsonSchemaOptions& options = {}) {
    return matches(machine(compile_json_schema(schema, options)), text);
}

std::string refusal(const Result<Grammar>& grammar) {
    return grammar ? "" : grammar.error().reason();
}

// The mask at every place of random walks must say exactly which tokens accept() takes.
void expect_exact_masks(const std::shared_ptr<Machine>& machine, std::uint64_t seed) {
    Rng rng(seed);
    for (int walk = 0; walk < 8; ++walk) {
        Matcher matcher(machine);
        for (int step = 0; step < 40; ++step) {
            const auto mask = matcher.mask(std::vector<TokenId>{kEnd});
            ASSERT_TRUE(mask.has_value()) << mask.error().message();
            std::vector<TokenId> allowed;
            for (TokenId token = 0; token < kEnd; ++token) {
                Matcher copy = matcher;
                const bool taken = copy.accept(token);
                ASSERT_EQ(mask->test(static_cast<std::size_t>(token)), taken)
                    << "token " << token << " seed " << seed << " step " << step;
                if (taken) allowed.push_back(token);
            }
            ASSERT_EQ(mask->test(kEnd), matcher.is_whole());
            if (allowed.empty()) break;
            ASSERT_TRUE(matcher.accept(allowed[rng.below(allowed.size())]));
        }
    }
}

TEST(Regex, WholeTexts) {
    const auto check = [](std::string_view pattern, std::string_view text) {
        return matches(machine(compile_regex(pattern)), text);
    };
    EXPECT_TRUE(check("a(b|c)*d", "abcbd"));
    EXPECT_FALSE(check("a(b|c)*d", "abce"));
    EXPECT_TRUE(check("[^\\d\\s]{2,3}", "ab\xC3\xA9"));
    EXPECT_FALSE(check("[^\\d\\s]{2,3}", "a1"));
    EXPECT_TRUE(check("(\\+\\d{1,3} )?\\d{3}-\\d{4}", "+49 555-1234"));
    EXPECT_TRUE(check("\\u00e9+", "\xC3\xA9\xC3\xA9"));
    EXPECT_TRUE(check("[a\\-z]+", "a-z"));
    EXPECT_FALSE(check("x{3}", "xx"));
    // What makes backtracking matchers run for ever takes no time.
    EXPECT_FALSE(check("(a+)+b", std::string(5000, 'a')));
}

TEST(Regex, RefusesWhatItCannotDescribe) {
    for (const char* pattern : {"(?=a)", "(?<!a)b", "(a)\\1", "\\bword", "a{5,2}", "(", ")", "[",
                                "a**", "\\p{L}", "x{99999}", "*"}) {
        EXPECT_EQ(refusal(compile_regex(pattern)), "invalid_grammar") << pattern;
    }
    EXPECT_FALSE(compile_regex(std::string(60'000, '(')).has_value());
    EXPECT_FALSE(compile_regex("((((a{99}){99}){99}){99}){99}").has_value());
}

TEST(JsonSchema, Objects) {
    const std::string schema = R"({"type":"object","properties":{"name":{"type":"string"},
        "age":{"type":"integer","minimum":0,"maximum":150}},"required":["name"],
        "additionalProperties":false})";
    EXPECT_TRUE(schema_matches(schema, R"({"name":"x","age":150})"));
    EXPECT_TRUE(schema_matches(schema, "{ \"age\" : 0,\n  \"name\" : \"\\u00e9\" }"));
    EXPECT_FALSE(schema_matches(schema, R"({"age":3})"));
    EXPECT_FALSE(schema_matches(schema, R"({"name":"x","age":151})"));
    EXPECT_FALSE(schema_matches(schema, R"({"name":"x","name":"y"})"));
    EXPECT_FALSE(schema_matches(schema, R"({"name":"x","other":1})"));
    EXPECT_FALSE(schema_matches(schema, R"({"name":"x",})"));
    // The escaped name is the same name.
    EXPECT_TRUE(schema_matches(schema, "{\"name\":\"\"}"));
    EXPECT_FALSE(schema_matches(schema, R"({"age":1,"name":"x"})", {.ordered_properties = true}));
    EXPECT_TRUE(schema_matches(schema, R"({"name":"x","age":1})", {.ordered_properties = true}));
}

TEST(JsonSchema, Strings) {
    EXPECT_TRUE(schema_matches(R"({"type":"string","maxLength":2})", "\"\xC3\xA9\\n\""));
    EXPECT_FALSE(schema_matches(R"({"type":"string","maxLength":2})", "\"abc\""));
    EXPECT_FALSE(schema_matches(R"({"type":"string","minLength":2})", "\"\\u0061\""));
    EXPECT_TRUE(schema_matches(R"({"type":"string","pattern":"^a+$"})", "\"aa\""));
    EXPECT_FALSE(schema_matches(R"({"type":"string","pattern":"^a+$"})", "\"ab\""));
    EXPECT_TRUE(schema_matches(R"({"type":"string","pattern":"b"})", "\"abc\""));
    EXPECT_TRUE(schema_matches(R"({"enum":["a\nb",1,null]})", "\"a\\nb\""));
    EXPECT_FALSE(schema_matches(R"({"enum":["a\nb",1,null]})", "2"));
    EXPECT_TRUE(schema_matches(R"({"type":"string","format":"date"})", "\"2024-02-29\""));
    EXPECT_FALSE(schema_matches(R"({"type":"string","format":"date"})", "\"2024-02-30\""));
    EXPECT_FALSE(schema_matches(R"({"type":"string"})", "\"\\ud800x\""));
    EXPECT_TRUE(schema_matches(R"({"type":"string"})", "\"\\ud83d\\ude00\""));
    EXPECT_FALSE(schema_matches(R"({"type":"string"})", "\"a\nb\""));
}

TEST(JsonSchema, Numbers) {
    const auto check = [](const char* rules, const char* text) {
        return schema_matches(std::string("{\"type\":\"number\",") + rules + "}", text);
    };
    Rng rng(7);
    for (int i = 0; i < 400; ++i) {
        const auto low = static_cast<double>(rng.below(2000)) / 8 - 125;
        const auto value = static_cast<double>(rng.below(2000)) / 8 - 125;
        char rules[64];
        char text[32];
        std::snprintf(text, sizeof text, "%.3f", value);
        std::snprintf(rules, sizeof rules, "\"minimum\":%.3f", low);
        EXPECT_EQ(check(rules, text), value >= low) << rules << " " << text;
        std::snprintf(rules, sizeof rules, "\"exclusiveMaximum\":%.3f", low);
        EXPECT_EQ(check(rules, text), value < low) << rules << " " << text;
    }
    EXPECT_TRUE(check("\"multipleOf\":0.01", "12.25"));
    EXPECT_FALSE(check("\"multipleOf\":0.01", "12.251"));
    EXPECT_TRUE(check("\"multipleOf\":7,\"minimum\":10", "14"));
    EXPECT_FALSE(check("\"multipleOf\":7,\"minimum\":10", "7"));
    EXPECT_FALSE(schema_matches(R"({"type":"integer"})", "01"));
    EXPECT_FALSE(schema_matches(R"({"type":"integer"})", "1.5"));
}

TEST(JsonSchema, ArraysAndCombinations) {
    EXPECT_TRUE(schema_matches(R"({"type":"array","items":{"type":"boolean"},"maxItems":2})",
                               "[true, false]"));
    EXPECT_FALSE(schema_matches(R"({"type":"array","maxItems":2})", "[1,2,3]"));
    EXPECT_FALSE(schema_matches(R"({"type":"array","minItems":1})", "[ ]"));
    EXPECT_TRUE(schema_matches(R"({"prefixItems":[{"const":1}],"items":false})", "[1]"));
    EXPECT_FALSE(schema_matches(R"({"prefixItems":[{"const":1}],"items":false})", "[1,2]"));
    const std::string one = R"({"oneOf":[{"minimum":5},{"maximum":10}],"type":"integer"})";
    EXPECT_TRUE(schema_matches(one, "3"));
    EXPECT_FALSE(schema_matches(one, "7"));
    EXPECT_FALSE(schema_matches(R"({"not":{"type":"string"}})", "\"a\""));
    EXPECT_TRUE(schema_matches(R"({"not":{"type":"string"}})", "{\"a\":[1]}"));
    const std::string conditional =
        R"({"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"required":["b"]}})";
    EXPECT_FALSE(schema_matches(conditional, R"({"a":1})"));
    EXPECT_TRUE(schema_matches(conditional, R"({"a":1,"b":2})"));
    EXPECT_TRUE(schema_matches(conditional, R"({"a":2})"));
    const std::string tree =
        R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false})";
    EXPECT_TRUE(schema_matches(tree, R"({"next":{"next":{}}})"));
    EXPECT_FALSE(schema_matches(tree, R"({"next":{"next":1}})"));
}

TEST(JsonSchema, NothingUnsupportedIsIgnored) {
    for (const char* schema :
         {R"({"uniqueItems":true})", R"({"contains":{}})", R"({"unevaluatedProperties":false})",
          R"({"$ref":"http://example.com/x.json"})", R"x({"pattern":"(?=a)"})x",
          R"({"format":"regex"})", R"({"multipleOf":0.3})", R"({"$dynamicRef":"#x"})",
          R"({"propertyNames":{"not":{}}})"}) {
        EXPECT_EQ(refusal(compile_json_schema(schema)), "unsupported_schema") << schema;
    }
    for (const char* schema :
         {"", "{", "3", "[]", R"({"type":"strin"})", R"({"enum":1})", R"({"$ref":"#/nowhere"})",
          R"({"$ref":"#"})", R"({"anyOf":[]})", R"({"properties":[]})", R"({"minLength":-1})",
          R"({"anyOf":[{"$ref":"#"}]})"}) {
        EXPECT_EQ(refusal(compile_json_schema(schema)), "invalid_schema") << schema;
    }
}

TEST(JsonSchema, LimitsHold) {
    std::string deep;
    for (int i = 0; i < 17; ++i) deep += R"({"items":)";
    deep += "true" + std::string(17, '}');
    EXPECT_EQ(refusal(compile_json_schema(deep)), "grammar_too_complex");
    std::string nested(100'000, '[');
    EXPECT_EQ(refusal(compile_json_schema("{\"const\":" + nested)), "invalid_schema");
    std::string wide = "{\"anyOf\":[true";
    for (int i = 0; i < 9000; ++i) wide += ",{\"type\":\"null\"}";
    EXPECT_EQ(refusal(compile_json_schema(wide + "]}")), "grammar_too_complex");
    EXPECT_NE(refusal(compile_json_schema(R"({"pattern":"((a{900}){900}){900}"})")), "");
    std::string texts(10, ' ');
    EXPECT_TRUE(matches(machine(any_json_object()), "{\"a\": [1, {\"b\": null}]}"));
    EXPECT_FALSE(matches(machine(any_json_object()), "[1]"));
    // Text that nests for ever ends somewhere.
    EXPECT_FALSE(matches(machine(compile_json_schema("true")), std::string(100'000, '[')));
}

TEST(Gbnf, Grammars) {
    const std::string arithmetic = R"x(
# sums of products
root  ::= term ("+" term)*
term  ::= factor ("*" factor)*
factor ::= [0-9]{1,3} | "(" root ")"
)x";
    const auto sums = machine(compile_gbnf(arithmetic));
    EXPECT_TRUE(matches(sums, "1+(2*(3+44))*5"));
    EXPECT_FALSE(matches(sums, "1+(2"));
    EXPECT_FALSE(matches(sums, "1234"));
    const auto words =
        machine(compile_gbnf("root ::= ([^\\n\"] | \"\\\"\\u00e9\")+ (a | b)?\n"
                             "a ::= \"!\"\nb ::= a a\n"));
    EXPECT_TRUE(matches(words, "x\"\xC3\xA9!!"));
    EXPECT_TRUE(matches(machine(compile_gbnf("root ::= ((\"a\"*)* \"b\")*")), "aabab"));
}

TEST(Gbnf, RefusesWhatIsWrongOrEndless) {
    for (const char* grammar :
         {"", "root ::= x", "root ::= \"a", "root ::= (\"a\"", "root ::= root \"a\" | \"b\"",
          "root ::= a\na ::= b?  root\nb ::= \"x\"", "root ::= \"a\"{3,2}", "root ::= [z-a]",
          "x ::= \"a\"", "root ::= \"a\"\nroot ::= \"b\"", "root = \"a\""}) {
        EXPECT_EQ(refusal(compile_gbnf(grammar)), "invalid_grammar") << grammar;
    }
    EXPECT_FALSE(compile_gbnf("root ::= " + std::string(60'000, '(')).has_value());
}

TEST(Choice, IsOneOfThem) {
    const auto sizes = machine(compile_choice({"small", "smaller", "big"}));
    EXPECT_TRUE(matches(sizes, "small"));
    EXPECT_TRUE(matches(sizes, "smaller"));
    EXPECT_FALSE(matches(sizes, "smal"));
    EXPECT_FALSE(compile_choice({}).has_value());
    EXPECT_FALSE(compile_choice({"a", ""}).has_value());
}

TEST(TokenMasks, SayExactlyWhatIsAccepted) {
    const std::vector<std::string> schemas{
        "true",
        R"({"type":"object","properties":{"name":{"type":"string"},"nap":{"type":"integer"}},
            "required":["nap"]})",
        R"({"type":"object","properties":{"name":{"type":"string","maxLength":5},
            "na":{"enum":["abc","a\"b"]}},"additionalProperties":false,"required":["name"]})",
        R"({"type":"array","items":{"type":"string","minLength":3,"maxLength":400}})",
        R"({"anyOf":[{"type":"array","items":{"type":"array"}},{"type":"number","minimum":12}]})",
        R"({"type":"object","patternProperties":{"^a":{"type":"boolean"}},
            "additionalProperties":{"type":"null"},"minProperties":1,"maxProperties":3})",
        R"({"oneOf":[{"required":["a"]},{"required":["name"]}],"type":"object"})",
        R"({"type":"string","pattern":"^(hello|a+b)?\\d*$","maxLength":9})"};
    std::uint64_t seed = 1;
    for (const std::string& schema : schemas) {
        SCOPED_TRACE(schema);
        expect_exact_masks(machine(compile_json_schema(schema)), seed++);
    }
    expect_exact_masks(machine(compile_regex("(abc|hello world)+[0-9]{2,9}")), seed++);
    expect_exact_masks(machine(compile_gbnf("root ::= \"a\" root? \"}\" | [^a]+")), seed++);
}

TEST(TokenMasks, BlanksDoNotRunForEver) {
    Matcher matcher(machine(compile_json_schema(R"({"type":"array"})")));
    ASSERT_TRUE(matcher.accept('['));
    for (int i = 0; i < 80; ++i) ASSERT_TRUE(matcher.accept(' '));
    const auto mask = matcher.mask({});
    EXPECT_FALSE(mask->test(' '));
    EXPECT_FALSE(mask->test('\n'));
    EXPECT_TRUE(mask->test(']'));
}

}  // namespace
}  // namespace heddle::engine::grammar
