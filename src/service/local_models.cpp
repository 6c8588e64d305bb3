#include "service/local_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "async/offload.h"

namespace heddle::service {
namespace {

Result<Tokenised> tokenise_with(const LocalModel& model, const TokeniseRequest& request) {
    Tokenised result;
    result.context_tokens = model.context_tokens();
    if (request.messages.empty()) {
        result.tokens =
            model.tokenizer().encode(request.text, {.add_special = request.add_special});
    } else {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        HEDDLE_TRY(result.tokens, model.chat().encode(request.messages, request.tool_use,
                                                      request.template_arguments, now));
    }
    for (const text::TokenId token : result.tokens)
        result.pieces.emplace_back(model.tokenizer().piece(token));
    return result;
}

}  // namespace

Result<std::shared_ptr<LocalModel>> LocalModels::find(const std::string& name) const {
    for (const auto& model : models_)
        if (name.empty() || model->name() == name) return model;
    return fail(Error(ErrorCode::kNotFound,
                      name.empty()
                          ? std::string("no model runs in this server")
                          : fmt::format("no model \"{}\" runs in this server", name.substr(0, 100)))
                    .with_reason("model_not_found")
                    .with_param("model"));
}

bool LocalModels::healthy() const {
    return std::ranges::all_of(models_, [](const auto& one) { return one->engine().healthy(); });
}

async::Task<Result<Tokenised>> LocalModels::tokenise(TokeniseRequest request) {
    HEDDLE_CO_TRY(const std::shared_ptr<LocalModel> model, find(request.model));
    const auto work = [&] { return tokenise_with(*model, request); };
    co_return co_await async::offload(workers_, work);
}

async::Task<Result<std::string>> LocalModels::detokenise(std::string name,
                                                         std::vector<std::int32_t> tokens) {
    HEDDLE_CO_TRY(const std::shared_ptr<LocalModel> model, find(name));
    for (const std::int32_t token : tokens) {
        if (!model->tokens().contains(token)) {
            co_return fail(Error(ErrorCode::kInvalidArgument, "the vocabulary has no such token")
                               .with_param("tokens"));
        }
    }
    const auto work = [&] { return model->tokenizer().decode(tokens, false); };
    co_return co_await async::offload(workers_, work);
}

}  // namespace heddle::service
