#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer_json_stages.h"

namespace heddle::text {
namespace {

// {"Sequence": {"id": "A", "type_id": 0}} or {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
// the latter's ids standing in special_tokens.
Result<PostTemplate::Step> read_step(const JsonElement& element,
                                     const std::optional<JsonObject>& special_tokens,
                                     const Vocabulary& pieces) {
    PostTemplate::Step step;
    JsonObject object;
    if (element.get(object) != simdjson::SUCCESS) {
        return corrupt_tokenizer("a step of the post-processor is not an object");
    }
    HEDDLE_TRY(const std::optional<JsonObject> sequence, json_object(object, "Sequence"));
    HEDDLE_TRY(const std::optional<JsonObject> special, json_object(object, "SpecialToken"));
    if (!sequence && !special) return corrupt_tokenizer("a step of the post-processor is unknown");
    const JsonObject& body = sequence ? *sequence : *special;
    HEDDLE_TRY(const std::int64_t type_id, json_integer(body, "type_id", 0));
    if (type_id < 0 || type_id > 255) return corrupt_tokenizer("a type id is out of range");
    step.type_id = static_cast<std::uint8_t>(type_id);
    HEDDLE_TRY(const std::string name, json_string(body, "id", ""));
    if (sequence) {
        using Source = PostTemplate::Source;
        step.source = name == "B" ? Source::kSecond : Source::kFirst;
        return step;
    }
    step.source = PostTemplate::Source::kSpecial;
    if (!special_tokens) return corrupt_tokenizer("the post-processor has no special tokens");
    HEDDLE_TRY(const std::optional<JsonObject> entry, json_object(*special_tokens, name));
    if (!entry) return corrupt_tokenizer("the post-processor names an unknown special token");
    HEDDLE_TRY(const std::optional<JsonArray> ids, json_array(*entry, "ids"));
    if (!ids) return corrupt_tokenizer("a special token of the post-processor has no ids");
    for (const JsonElement id_element : *ids) {
        std::int64_t id = -1;
        if (id_element.get(id) != simdjson::SUCCESS || id < 0 ||
            static_cast<std::uint64_t>(id) >= pieces.size()) {
            return corrupt_tokenizer("an id of the post-processor is out of range");
        }
        step.special.push_back(static_cast<TokenId>(id));
    }
    return step;
}

Result<std::vector<PostTemplate::Step>> read_steps(const JsonObject& object, std::string_view field,
                                                   const Vocabulary& pieces) {
    std::vector<PostTemplate::Step> steps;
    HEDDLE_TRY(const std::optional<JsonObject> special, json_object(object, "special_tokens"));
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(object, field));
    if (!list) return corrupt_tokenizer("the post-processor has no template");
    for (const JsonElement element : *list) {
        HEDDLE_TRY(PostTemplate::Step step, read_step(element, special, pieces));
        steps.push_back(std::move(step));
    }
    return steps;
}

Result<PostTemplate> read_template(const JsonObject& object, const Vocabulary& pieces) {
    PostTemplate post;
    HEDDLE_TRY(post.single, read_steps(object, "single", pieces));
    HEDDLE_TRY(post.pair, read_steps(object, "pair", pieces));
    return post;
}

// ["[CLS]", 101]
Result<TokenId> read_named_id(const JsonObject& object, std::string_view field,
                              const Vocabulary& pieces) {
    HEDDLE_TRY(const std::optional<JsonArray> pair, json_array(object, field));
    std::int64_t id = -1;
    if (!pair || pair->at(1).get(id) != simdjson::SUCCESS || id < 0 ||
        static_cast<std::uint64_t>(id) >= pieces.size()) {
        return corrupt_tokenizer(
            fmt::format("\"{}\" of the post-processor is out of range", field));
    }
    return static_cast<TokenId>(id);
}

// BertProcessing: cls A sep, cls A sep B sep with type 1; RobertaProcessing: cls A sep sep B sep.
Result<PostTemplate> read_cls_sep(const JsonObject& object, bool roberta,
                                  const Vocabulary& pieces) {
    using Source = PostTemplate::Source;
    HEDDLE_TRY(const TokenId cls, read_named_id(object, "cls", pieces));
    HEDDLE_TRY(const TokenId sep, read_named_id(object, "sep", pieces));
    const std::uint8_t second_type = roberta ? 0 : 1;
    PostTemplate post;
    post.single = {
        {Source::kSpecial, {cls}, 0}, {Source::kFirst, {}, 0}, {Source::kSpecial, {sep}, 0}};
    post.pair = post.single;
    if (roberta) post.pair.push_back({Source::kSpecial, {sep}, 0});
    post.pair.push_back({Source::kSecond, {}, second_type});
    post.pair.push_back({Source::kSpecial, {sep}, second_type});
    return post;
}

bool adds_nothing(const PostTemplate& post) {
    return std::ranges::all_of(post.pair,
                               [](const PostTemplate::Step& step) { return step.special.empty(); });
}

// Of the parts at most one adds tokens, as in Llama 3: ByteLevel, then a template.
Result<PostTemplate> read_sequence(const JsonObject& object, const Vocabulary& pieces) {
    HEDDLE_TRY(const std::optional<JsonArray> list, json_array(object, "processors"));
    PostTemplate post;
    for (const JsonElement element : list.value_or(JsonArray())) {
        HEDDLE_TRY(PostTemplate part, read_post_template(element, pieces));
        if (adds_nothing(part)) continue;
        if (!adds_nothing(post)) return unknown_stage("post-processor", "Sequence of templates");
        post = std::move(part);
    }
    return post;
}

}  // namespace

Result<PostTemplate> read_post_template(std::optional<JsonElement> element,
                                        const Vocabulary& pieces) {
    if (!element) return PostTemplate{};
    HEDDLE_TRY(const JsonStage stage, read_stage(*element, "post-processor"));
    const std::string& type = stage.type;
    if (type == "TemplateProcessing") return read_template(stage.object, pieces);
    if (type == "BertProcessing") return read_cls_sep(stage.object, false, pieces);
    if (type == "RobertaProcessing") return read_cls_sep(stage.object, true, pieces);
    if (type == "ByteLevel") return PostTemplate{};  // moves offsets only
    if (type == "Sequence") return read_sequence(stage.object, pieces);
    return unknown_stage("post-processor", type);
}

}  // namespace heddle::text
