#include "app/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include <toml++/toml.h>

#include "ingest/formats.h"
#include "ingest/ocr/page_recogniser.h"

namespace heddle::app {
namespace {

tl::unexpected<Error> wrong(std::string message) {
    return fail(ErrorCode::kInvalidArgument, std::move(message));
}

template <class Number>
Result<Number> parse_number(std::string_view text, Number low, Number high) {
    Number value{};
    const auto [end, ec] = std::from_chars(text.begin(), text.end(), value);
    if (ec != std::errc() || end != text.end() || !(value >= low && value <= high))
        return wrong(fmt::format("must be a number from {} to {}, not \"{}\"", low, high, text));
    return value;
}

Result<bool> parse_switch(std::string_view text) {
    if (text == "true" || text == "1" || text == "yes" || text == "on" || text.empty()) return true;
    if (text == "false" || text == "0" || text == "no" || text == "off") return false;
    return wrong(fmt::format("must be true or false, not \"{}\"", text));
}

// The kinds of setting, each made from the member of Config it fills.
Setting text(std::string name, std::string value, std::string help, std::string Config::* member) {
    return {std::move(name),
            std::move(value),
            std::move(help),
            false,
            [member](Config& config, std::string_view given) -> Result<> {
                config.*member = given;
                return {};
            },
            {}};
}

Setting choice(std::string name, std::vector<std::string> allowed, std::string help,
               std::string Config::* member) {
    std::string shown = fmt::format("{}", fmt::join(allowed, "|"));
    return {std::move(name),
            shown,
            std::move(help),
            false,
            [member, allowed, shown](Config& config, std::string_view given) -> Result<> {
                if (std::find(allowed.begin(), allowed.end(), given) == allowed.end())
                    return wrong(fmt::format("must be one of {}, not \"{}\"", shown, given));
                config.*member = given;
                return {};
            },
            {}};
}

Setting list(std::string name, std::string value, std::string help,
             std::vector<std::string> Config::* member) {
    return {std::move(name),
            std::move(value),
            std::move(help),
            true,
            [member](Config& config, std::string_view given) -> Result<> {
                if (given.empty()) return wrong("must not be empty");
                (config.*member).emplace_back(given);
                return {};
            },
            [member](Config& config) { (config.*member).clear(); }};
}

// "en.wikipedia.org=#bodyContent"; several of one host are put together.
Result<> add_site_rule(Config& config, std::string_view given) {
    const std::size_t equals = given.find('=');
    const bool whole = equals != std::string_view::npos && equals > 0 && equals + 1 < given.size();
    if (!whole) return wrong(fmt::format("must be HOST=SELECTOR, not \"{}\"", given));
    const std::string host(given.substr(0, equals));
    std::string selector(given.substr(equals + 1));
    const auto known =
        std::find_if(config.site_rules.begin(), config.site_rules.end(),
                     [&](const markup::SiteRule& rule) { return rule.host == host; });
    if (known != config.site_rules.end())
        known->selectors.push_back(std::move(selector));
    else
        config.site_rules.push_back({host, {std::move(selector)}});
    return {};
}

// Kinds of file, by their name or a usual extension ("txt"), parted by commas.
Result<> add_upload_types(Config& config, std::string_view given) {
    while (!given.empty()) {
        const std::size_t comma = std::min(given.find(','), given.size());
        const std::string name(given.substr(0, comma));
        given.remove_prefix(std::min(comma + 1, given.size()));
        const ingest::Format* format = ingest::find_format(name);
        if (format == nullptr) format = ingest::find_format_of_file("." + name);
        if (format == nullptr) {
            std::vector<std::string_view> known;
            for (const ingest::Format& each : ingest::formats()) known.push_back(each.name);
            return wrong(fmt::format("must be of {}, not \"{}\"", fmt::join(known, ", "), name));
        }
        config.upload_types.emplace_back(format->name);
    }
    return {};
}

Setting flag(std::string name, std::string help, bool Config::* member) {
    return {std::move(name),
            "",
            std::move(help),
            false,
            [member](Config& config, std::string_view given) -> Result<> {
                HEDDLE_TRY(config.*member, parse_switch(given));
                return {};
            },
            {}};
}

Setting count(std::string name, std::uint32_t low, std::uint32_t high, std::string help,
              std::uint32_t Config::* member) {
    return {std::move(name),
            "N",
            std::move(help),
            false,
            [member, low, high](Config& config, std::string_view given) -> Result<> {
                HEDDLE_TRY(config.*member, parse_number<std::uint32_t>(given, low, high));
                return {};
            },
            {}};
}

Setting size(std::string name, std::string help, std::uint64_t Config::* member) {
    return {std::move(name),
            "SIZE",
            std::move(help),
            false,
            [member](Config& config, std::string_view given) -> Result<> {
                HEDDLE_TRY(config.*member, parse_bytes(given));
                return {};
            },
            {}};
}

Setting duration(std::string name, std::string help, std::chrono::milliseconds Config::* member) {
    return {std::move(name),
            "TIME",
            std::move(help),
            false,
            [member](Config& config, std::string_view given) -> Result<> {
                HEDDLE_TRY(config.*member, parse_duration(given));
                return {};
            },
            {}};
}

void add_address_settings(std::vector<Setting>& all) {
    all.push_back(text("listen", "HOST:PORT", "address to serve on", &Config::listen));
    all.push_back(text("data", "DIR", "folder for everything that is kept", &Config::data));
    all.push_back(text("store", "URL",
                       "where rows are kept: empty for SQLite in the data folder, "
                       "or postgres://…",
                       &Config::store));
    all.push_back(text("share", "DIR", "folder of the default assets", &Config::share));
    all.push_back(
        text("api-key-file", "FILE", "keys that may call, one a line", &Config::api_key_file));
    all.push_back(flag("insecure-no-auth", "serve other machines without any key",
                       &Config::insecure_no_auth));
    all.push_back(
        list("public-host", "NAME", "host names that clients may use", &Config::public_hosts));
    all.push_back(text("tls-certificate", "FILE", "certificate chain (PEM); serves HTTPS",
                       &Config::tls_certificate));
    all.push_back(text("tls-key", "FILE", "private key (PEM)", &Config::tls_key));
}

void add_model_settings(std::vector<Setting>& all) {
    all.push_back(list("model", "[NAME=]PATH", "language model to serve", &Config::models));
    all.push_back(text("embedder", "PATH", "embedding model", &Config::embedder));
    all.push_back(
        list("upstream", "URL", "OpenAI-compatible server, ending in /v1", &Config::upstreams));
    all.push_back(
        text("upstream-key-file", "FILE", "key sent to the upstream", &Config::upstream_key_file));
    all.push_back(
        text("upstream-model", "NAME", "its model to use by default", &Config::upstream_model));
    all.push_back(choice("backend", {"cpu", "cuda"}, "where models run", &Config::backend));
    all.push_back(text("hub", "URL", "Hugging Face compatible hub to pull from", &Config::hub));
    all.push_back(
        text("hub-token-file", "FILE", "token shown to the hub", &Config::hub_token_file));
    all.push_back(text("reranker", "PATH", "cross-encoder behind /v1/rerank", &Config::reranker));
}

void add_engine_settings(std::vector<Setting>& all) {
    all.push_back(list("chat-template", "[NAME=]FILE", "Jinja template in place of the model's own",
                       &Config::chat_templates));
    all.push_back(count("model-threads", 0, 1024, "threads that compute a model (0: the cores)",
                        &Config::model_threads));
    all.push_back(size("kv-memory", "memory for keys and values of each model, e.g. 2GiB",
                       &Config::kv_bytes));
    all.push_back(choice("kv-type", {"f32", "f16", "bf16"}, "how keys and values are kept",
                         &Config::kv_type));
    all.push_back(count("max-context", 0, 1U << 24,
                        "longest conversation in tokens (0: the model's)", &Config::context_max));
    all.push_back(count("chunk-tokens", 16, 65'536, "tokens computed in one step of a model",
                        &Config::step_tokens));
    all.push_back(
        count("max-sequences", 1, 4096, "answers written at once", &Config::sequences_max));
    all.push_back(choice("schedule", {"continuous", "static"},
                         "how answers share a model (static: the naive baseline)",
                         &Config::schedule));
    all.push_back(
        count("static-batch", 1, 4096, "answers in a static batch", &Config::static_batch));
    all.push_back(count("default-max-tokens", 0, 1U << 24,
                        "length of answers that name none (0: what the context holds)",
                        &Config::answer_tokens));
    all.push_back(count("queue-requests", 1, 1U << 20, "answers that may wait for a model",
                        &Config::queue_requests));
    all.push_back(count("queue-tokens", 1, 1U << 30, "prompt tokens that may wait for a model",
                        &Config::queue_tokens));
}

void add_document_settings(std::vector<Setting>& all) {
    all.push_back(size("upload-max", "largest upload, e.g. 50MiB", &Config::upload_bytes_max));
    all.push_back({"upload-types", "TYPE,…",
                   "accepted kinds of file: pdf (default), html, docx, epub, csv, markdown, text",
                   true, add_upload_types, [](Config& config) { config.upload_types.clear(); }});
    all.push_back(list("watch", "DIR", "a folder whose files are kept in the knowledge base",
                       &Config::watch));
    all.push_back(text("chunker", "KIND:SIZE",
                       "sentences:250 (tokens), recursive:250:50 (tokens, overlap) or chars:512",
                       &Config::chunker));
    all.push_back(flag("widen-passages", "give each passage with the section around it",
                       &Config::widen_passages));
    all.push_back({"ocr",
                   "LANGUAGES",
                   "read pages that are pictures with Tesseract, e.g. eng+deu",
                   false,
                   [](Config& config, std::string_view given) -> Result<> {
                       if (!ingest::ocr::is_language_list(given))
                           return wrong("must be languages as Tesseract names them, e.g. eng+deu");
                       config.ocr = given;
                       return {};
                   },
                   {}});
    all.push_back(flag("require-sandbox", "refuse documents where the parser cannot be locked in",
                       &Config::require_sandbox));
    all.push_back(
        count("ingest-workers", 1, 64, "documents read at once", &Config::ingest_workers));
    all.push_back(count("passages", 1, 50, "passages given to an answer", &Config::passages));
    all.push_back({"score-threshold",
                   "COSINE",
                   "passages below are not used (-1 to 1)",
                   false,
                   [](Config& config, std::string_view given) -> Result<> {
                       HEDDLE_TRY(config.score_threshold, parse_number<double>(given, -1.0, 1.0));
                       return {};
                   },
                   {}});
}

void add_page_and_running_settings(std::vector<Setting>& all) {
    all.push_back(
        flag("fetch", "open the pages whose addresses stand in a prompt", &Config::fetch));
    all.push_back(text("render", "PROGRAM",
                       "a Chromium (/usr/bin/chromium) for pages that are drawn by scripts",
                       &Config::render));
    all.push_back(flag("render-as-root", "let it run without its own sandbox, as root",
                       &Config::render_as_root));
    all.push_back({"site-selector", "HOST=SELECTOR",
                   "what the text of a site's pages is: #id, .class, tag or tag.class", true,
                   add_site_rule, [](Config& config) { config.site_rules.clear(); }});
    all.push_back(list("fetch-allow", "HOST[:PORT]", "may be fetched though it is not public",
                       &Config::fetch_allow));
    all.push_back(
        count("fetch-urls-max", 0, 20, "pages opened for one prompt", &Config::fetch_urls_max));
    all.push_back(flag("fetch-robots", "obey robots.txt", &Config::fetch_robots));
    all.push_back(count("io-threads", 0, 256, "threads for connections (0: by the cores)",
                        &Config::io_threads));
    all.push_back(count("worker-threads", 0, 1024, "threads for computing (0: by the cores)",
                        &Config::worker_threads));
    all.push_back(
        duration("answer-timeout", "longest time for one answer", &Config::answer_timeout));
    all.push_back(duration("drain", "time to finish answers when told to stop", &Config::drain));
    all.push_back(
        choice("log-format", {"text", "json"}, "how log lines look", &Config::log_format));
    all.push_back(choice("log-level", {"debug", "info", "warn", "error"},
                         "least level that is logged", &Config::log_level));
    all.push_back(flag("demo", "serve /block, /slow, /fast, /sync and /async", &Config::demo));
}

std::string variable_of(const Setting& setting) {
    std::string name = "HEDDLE_" + setting.name;
    for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    return name;
}

const Setting* find(std::string_view name) {
    for (const Setting& setting : settings())
        if (setting.name == name) return &setting;
    return nullptr;
}

// The TOML value as the text a flag would carry.
Result<std::string> as_text(const toml::node& node) {
    if (const auto* value = node.as_string()) return value->get();
    if (const auto* value = node.as_integer()) return std::to_string(value->get());
    if (const auto* value = node.as_floating_point()) return fmt::format("{}", value->get());
    if (const auto* value = node.as_boolean()) return std::string(value->get() ? "true" : "false");
    return wrong("must be a text, a number, true or false");
}

Result<> apply_key(Config& config, std::string_view key, const toml::node& node) {
    const Setting* setting = find(key);
    if (setting == nullptr) return wrong("no such setting");
    if (const toml::array* values = node.as_array()) {
        if (!setting->list) return wrong("takes one value");
        setting->clear_list(config);
        for (const toml::node& value : *values) {
            HEDDLE_TRY(const std::string given, as_text(value));
            HEDDLE_TRY_VOID(setting->set(config, given));
        }
        return {};
    }
    if (setting->list) setting->clear_list(config);
    HEDDLE_TRY(const std::string given, as_text(node));
    return setting->set(config, given);
}

}  // namespace

const std::vector<Setting>& settings() {
    static const std::vector<Setting> table = [] {
        std::vector<Setting> all;
        add_address_settings(all);
        add_model_settings(all);
        add_engine_settings(all);
        add_document_settings(all);
        add_page_and_running_settings(all);
        return all;
    }();
    return table;
}

Result<> apply_file(Config& config, const std::string& path) {
    toml::table table;
    try {
        table = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        return wrong(
            fmt::format("{}:{}: {}", path, error.source().begin.line, error.description()));
    }
    for (const auto& [key, node] : table) {
        if (auto applied = apply_key(config, key.str(), node); !applied) {
            return wrong(fmt::format("{}:{}: {}: {}", path, node.source().begin.line, key.str(),
                                     applied.error().message()));
        }
    }
    return {};
}

Result<> apply_environment(Config& config, char** environment) {
    for (char** entry = environment; *entry != nullptr; ++entry) {
        const std::string_view variable = *entry;
        if (!variable.starts_with("HEDDLE_")) continue;
        const std::size_t equals = variable.find('=');
        const std::string_view name = variable.substr(0, equals);
        if (name == "HEDDLE_CONFIG" || name.starts_with("HEDDLE_TEST_") ||
            name == "HEDDLE_EVAL_DATA")
            continue;
        const auto setting = std::find_if(settings().begin(), settings().end(),
                                          [&](const Setting& s) { return variable_of(s) == name; });
        if (setting == settings().end()) return wrong(fmt::format("{}: no such setting", name));
        std::string_view value = variable.substr(equals + 1);
        if (setting->list) setting->clear_list(config);
        while (true) {
            const std::size_t comma = setting->list ? value.find(',') : std::string_view::npos;
            if (auto applied = setting->set(config, value.substr(0, comma)); !applied)
                return wrong(fmt::format("{}: {}", name, applied.error().message()));
            if (comma == std::string_view::npos) break;
            value.remove_prefix(comma + 1);
        }
    }
    return {};
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, ec] = std::from_chars(text.begin(), text.end(), number);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.begin()));
    struct Unit {
        std::string_view name;
        std::uint64_t bytes;
    };
    constexpr Unit kUnits[] = {{"", 1},          {"B", 1},           {"KB", 1000},
                               {"MB", 1000000},  {"GB", 1000000000}, {"KiB", 1 << 10},
                               {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    for (const Unit& known : kUnits) {
        std::uint64_t bytes = 0;
        if (ec != std::errc() || unit != known.name) continue;
        if (__builtin_mul_overflow(number, known.bytes, &bytes)) break;
        return bytes;
    }
    return wrong(fmt::format("must be a size such as 50MiB, not \"{}\"", text));
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, ec] = std::from_chars(text.begin(), text.end(), number);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.begin()));
    struct Unit {
        std::string_view name;
        std::int64_t milliseconds;
    };
    constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
    for (const Unit& known : kUnits)
        if (ec == std::errc() && unit == known.name)
            return std::chrono::milliseconds(number * known.milliseconds);
    return wrong(fmt::format("must be a time such as 30s, not \"{}\"", text));
}

}  // namespace heddle::app
