#include "app/local_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <tuple>

#include "app/hub_settings.h"
#include "model/mapped_file.h"
#include "text/chat_template.h"

namespace heddle::app {
namespace {

// "[NAME=]REST": a name has no slash, so that a path may hold a "=".
std::pair<std::string, std::string> split_name(std::string_view setting) {
    const std::size_t equals = setting.find('=');
    const bool named = equals != std::string_view::npos && equals > 0 &&
                       setting.substr(0, equals).find('/') == std::string_view::npos;
    if (!named) return {"", std::string(setting)};
    return {std::string(setting.substr(0, equals)), std::string(setting.substr(equals + 1))};
}

compute::DType kv_type(const Config& config) {
    if (config.kv_type == "f32") return compute::DType::kF32;
    return config.kv_type == "bf16" ? compute::DType::kBF16 : compute::DType::kF16;
}

// The template for a model: the one given for its name, else the one given for all.
Result<std::string> chat_template_for(const Config& config, const std::string& name) {
    std::string path;
    for (const std::string& setting : config.chat_templates) {
        const auto [whose, file] = split_name(setting);
        if (whose == name || (whose.empty() && path.empty())) path = file;
    }
    if (path.empty()) return std::string();
    auto text = model::read_text_file(path, text::kTemplateBytesMax);
    if (!text) return fail(std::move(text).error().with_context("--chat-template " + path));
    return std::move(*text);
}

Result<service::LocalModelOptions> options_for(const Config& config, std::string_view setting) {
    service::LocalModelOptions options;
    std::tie(options.name, options.path) = parse_model(setting);
    // The name of a pulled model; whatever else it is, opening it says what is wrong.
    if (const auto pulled = resolve_model(config, options.path)) options.path = *pulled;
    options.backend = config.backend;
    options.threads = static_cast<int>(config.model_threads != 0
                                           ? config.model_threads
                                           : std::max(1U, std::thread::hardware_concurrency()));
    options.kv_bytes = config.kv_bytes;
    options.kv_dtype = kv_type(config);
    options.context_max = config.context_max;
    options.step_tokens = config.step_tokens;
    options.sequences_max = config.sequences_max;
    options.schedule =
        config.schedule == "static" ? engine::Schedule::kStatic : engine::Schedule::kContinuous;
    options.static_batch = config.static_batch;
    options.tokens_max = config.answer_tokens;
    options.queue = {.requests_max = config.queue_requests, .tokens_max = config.queue_tokens};
    HEDDLE_TRY(options.chat_template, chat_template_for(config, options.name));
    return options;
}

}  // namespace

std::pair<std::string, std::string> parse_model(std::string_view setting) {
    auto [name, path] = split_name(setting);
    if (!name.empty()) return {std::move(name), std::move(path)};
    std::filesystem::path file(path);
    if (!file.has_filename()) file = file.parent_path();
    name = file.extension() == ".gguf" ? file.stem().string() : file.filename().string();
    return {std::move(name), std::move(path)};
}

Result<std::vector<std::shared_ptr<service::LocalModel>>> load_models(const Config& config,
                                                                      Metrics& metrics) {
    std::vector<std::shared_ptr<service::LocalModel>> models;
    for (const std::string& setting : config.models) {
        const std::string context = "--model " + setting;
        HEDDLE_TRY(service::LocalModelOptions options, options_for(config, setting));
        const bool taken = std::ranges::any_of(
            models, [&](const auto& model) { return model->name() == options.name; });
        if (taken) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}: another model is called \"{}\"; give this one a name "
                                    "of its own (NAME=PATH)",
                                    context, options.name));
        }
        auto loaded = service::LocalModel::load(std::move(options), metrics);
        if (!loaded) return fail(std::move(loaded).error().with_context(context));
        models.push_back(std::move(*loaded));
    }
    return models;
}

}  // namespace heddle::app
