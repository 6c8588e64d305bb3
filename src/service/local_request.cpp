#include "service/local_request.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace heddle::service {
namespace {

namespace grammar = engine::grammar;
using GrammarPtr = std::shared_ptr<const grammar::Grammar>;

engine::SamplingParams sampling_params(const SamplingOptions& asked,
                                       const model::GenerationDefaults& usual) {
    const auto number = [](std::optional<double> given, std::optional<double> recommended,
                           double otherwise) {
        return static_cast<float>(given ? *given : recommended.value_or(otherwise));
    };
    engine::SamplingParams params;
    params.temperature = number(asked.temperature, usual.temperature, kDefaultTemperature);
    params.top_p = number(asked.top_p, usual.top_p, 1);
    params.top_k = static_cast<int>(asked.top_k ? *asked.top_k : usual.top_k.value_or(0));
    params.min_p = number(asked.min_p, usual.min_p, 0);
    params.typical_p = number(asked.typical_p, {}, 1);
    params.repetition_penalty = number(asked.repetition_penalty, usual.repetition_penalty, 1);
    params.presence_penalty = static_cast<float>(asked.presence_penalty);
    params.frequency_penalty = static_cast<float>(asked.frequency_penalty);
    for (const auto& [token, bias] : asked.logit_bias)
        params.logit_bias.emplace_back(token, static_cast<float>(bias));
    params.seed = asked.seed;
    params.logprobs = asked.logprobs;
    params.top_logprobs = asked.top_logprobs;
    params.tokens_min = asked.tokens_min;
    params.ignore_end = asked.ignore_end;
    params.stop_ids = asked.stop_ids;
    return params;
}

Result<GrammarPtr> compiled(const Constraint& constraint, LocalModel& model) {
    using Kind = Constraint::Kind;
    const auto get = [&](grammar::GrammarKind kind) {
        return model.grammars().get(kind, constraint.source);
    };
    switch (constraint.kind) {
        case Kind::kNone:
            return GrammarPtr();
        case Kind::kJsonSchema:
            return get(grammar::GrammarKind::kJsonSchema);
        case Kind::kJsonObject:
            return get(grammar::GrammarKind::kJsonObject);
        case Kind::kRegex:
            return get(grammar::GrammarKind::kRegex);
        case Kind::kGrammar:
            return get(grammar::GrammarKind::kGbnf);
        case Kind::kChoice: {
            HEDDLE_TRY(grammar::Grammar made, grammar::compile_choice(constraint.choices));
            return std::make_shared<const grammar::Grammar>(std::move(made));
        }
    }
    return GrammarPtr();
}

// A required call is an answer that is nothing else: {"name": …, "arguments": …}.
Result<GrammarPtr> form_of(const GenerateRequest& request, LocalModel& model) {
    const ToolUse& tools = request.tool_use;
    if (tools.choice != ToolUse::Choice::kRequired) {
        auto grammar = compiled(request.constraint, model);
        if (!grammar) return fail(std::move(grammar).error().with_param("response_format"));
        return grammar;
    }
    if (request.constraint.any()) {
        return fail(Error(ErrorCode::kInvalidArgument,
                          "an answer cannot be both a tool call and of another form")
                        .with_param("response_format"));
    }
    auto grammar = model.grammars().get(grammar::GrammarKind::kJsonSchema, tools.call_schema);
    if (!grammar) return fail(std::move(grammar).error().with_param("tools"));
    return grammar;
}

std::optional<SteadyTime> deadline_of(const async::Deadline& deadline) {
    if (deadline.when() == SteadyTime::max()) return std::nullopt;
    return deadline.when();
}

Result<std::vector<engine::TokenId>> tokens_of(const RawPrompt& prompt, const LocalModel& model) {
    if (prompt.tokens.empty()) return model.tokenizer().encode(prompt.text);
    return prompt.tokens;
}

// A grounded prompt is made to fit, so its answer may be shorter than was asked for; others are
// refused by the engine.
void fit_answer(const GenerateRequest& request, const LocalModel& model,
                engine::GenerationRequest& made) {
    if (!request.grounding || !made.tokens_max) return;
    const std::size_t window = model.context_tokens();
    if (made.prompt.size() < window)
        made.tokens_max = std::min(*made.tokens_max, window - made.prompt.size());
}

}  // namespace

Result<LocalRequest> translate(const GenerateRequest& request, LocalModel& model) {
    LocalRequest local;
    engine::GenerationRequest common;
    common.answers = request.sampling.answers;
    common.sampling = sampling_params(request.sampling, model.defaults());
    common.stops = request.sampling.stop;
    common.key = request.owner;
    common.deadline = deadline_of(request.deadline);
    if (request.sampling.tokens_max) {
        common.tokens_max = *request.sampling.tokens_max;
    } else if (model.options().tokens_max != 0) {
        common.tokens_max = model.options().tokens_max;
    }
    HEDDLE_TRY(common.grammar, form_of(request, model));
    const bool raw = !request.prompts.empty();
    local.answers.continues_text = raw;
    local.answers.logprobs = request.sampling.logprobs;
    local.answers.parallel_calls = request.tool_use.parallel;
    if (request.tool_use.offered()) {
        const bool required = request.tool_use.choice == ToolUse::Choice::kRequired;
        local.answers.tool_style =
            required ? engine::ToolCallStyle::kJson : model.chat().tool_style();
        common.keep_special = !required;
    }
    if (request.echo && request.sampling.logprobs) {
        return fail(Error(ErrorCode::kInvalidArgument, "echo cannot be combined with logprobs")
                        .with_param("echo"));
    }
    if (!raw) {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        HEDDLE_TRY(common.prompt, model.chat().encode(request.messages, request.tool_use,
                                                      request.template_arguments, now));
        fit_answer(request, model, common);
        local.prompts.push_back(std::move(common));
        return local;
    }
    for (const RawPrompt& prompt : request.prompts) {
        engine::GenerationRequest made = common;
        HEDDLE_TRY(made.prompt, tokens_of(prompt, model));
        std::string echo;
        if (request.echo)
            echo = prompt.tokens.empty() ? prompt.text : model.tokenizer().decode(prompt.tokens);
        local.echoes.push_back(std::move(echo));
        local.prompts.push_back(std::move(made));
    }
    return local;
}

}  // namespace heddle::service
