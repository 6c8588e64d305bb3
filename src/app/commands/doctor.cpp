// heddle doctor: what is there, what is missing, what to do about it. Changes nothing.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "app/commands/commands.h"
#include "app/house.h"
#include "app/version.h"
#include "base/log.h"
#include "compute/cpu/isa.h"
#include "ingest/parser.h"
#include "ingest/sandbox/walls.h"
#include "upstream/openai_client.h"

namespace heddle::app {
namespace {

// One page with one word; PDFium rebuilds the cross-reference table that it lacks.
constexpr std::string_view kTinyPdf =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R"
    "/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 46>>stream\nBT /F 12 Tf 20 50 Td (Heddle reads this) Tj ET\nendstream "
    "endobj\n"
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

// Counts what is wrong while it prints.
class Findings {
public:
    void good(std::string_view what, const std::string& detail) { line("ok", what, detail); }
    void note(std::string_view what, const std::string& detail) { line("--", what, detail); }
    void bad(std::string_view what, const std::string& detail) {
        line("!!", what, detail);
        ++bad_;
    }
    [[nodiscard]] int bad_count() const { return bad_; }

private:
    static void line(const char* mark, std::string_view what, const std::string& detail) {
        std::printf("%s  %-14.*s %s\n", mark, static_cast<int>(what.size()), what.data(),
                    detail.c_str());
    }
    int bad_ = 0;
};

std::string gigabytes(double bytes) {
    return fmt::format("{:.1f} GB", bytes / 1e9);
}

void check_machine(Findings& findings) {
    const double memory =
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    findings.good("processor", fmt::format("{} cores, {}", sysconf(_SC_NPROCESSORS_ONLN),
                                           compute::cpu::to_string(compute::cpu::detect_isa())));
    findings.good("memory", gigabytes(memory));
}

// One model for each size of machine, as `heddle pull` takes it. Weights and keys fit into half of
// the memory, so that the rest of the machine keeps working.
struct ModelAdvice {
    double memory_bytes;  // from here on
    const char* memory;
    const char* model;
};
constexpr ModelAdvice kModelAdvice[] = {
    {0, "2 GB", "Qwen/Qwen2.5-0.5B-Instruct-GGUF:qwen2.5-0.5b-instruct-q8_0.gguf"},
    {7e9, "8 GB", "unsloth/Qwen3-4B-Instruct-2507-GGUF:Qwen3-4B-Instruct-2507-Q4_K_M.gguf"},
    {22e9, "24 GB", "bartowski/Qwen2.5-14B-Instruct-GGUF:Qwen2.5-14B-Instruct-Q4_K_M.gguf"},
};

void advise_model(const Config& config, Findings& findings) {
    for (const std::string& model : config.models) findings.note("model", model);
    const double memory =
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    const ModelAdvice* best = kModelAdvice;
    for (const ModelAdvice& advice : kModelAdvice)
        if (memory >= advice.memory_bytes) best = &advice;
    if (config.models.empty() && config.upstreams.empty())
        findings.note("model", "none is needed to quote; to write answers, serve one:");
    for (const ModelAdvice& advice : kModelAdvice) {
        findings.note(&advice == best ? "  for you" : "",
                      fmt::format("{:>5}: heddle pull {}", advice.memory, advice.model));
    }
}

void check_folder(const Config& config, Findings& findings) {
    std::error_code ec;
    if (!std::filesystem::exists(config.data, ec)) {
        findings.note("data folder", config.data + " (will be made)");
        return;
    }
    if (access(config.data.c_str(), W_OK) != 0) {
        findings.bad("data folder", config.data + " cannot be written");
        return;
    }
    struct statvfs disk{};
    const double free =
        statvfs(config.data.c_str(), &disk) == 0
            ? static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize)
            : 0.0;
    const std::string detail = fmt::format("{}, {} free", config.data, gigabytes(free));
    free < 1e9 ? findings.bad("data folder", detail + ": nearly full")
               : findings.good("data folder", detail);
    if (!config.store.empty() || !std::filesystem::exists(database_location(config), ec)) return;
    auto database = storage::Database::open({.location = database_location(config)});
    const Result<> sound =
        database ? (*database)->check_blocking() : Result<>(fail(database.error()));
    sound ? findings.good("database", "sound") : findings.bad("database", sound.error().message());
}

void check_assets(const Config& config, Findings& findings) {
    const DefaultAssets assets = find_assets(config);
    const std::string how = "run `./dev setup`, or set --share DIR";
    assets.pdfium.empty() ? findings.bad("PDF reader", "libpdfium.so is missing: " + how)
                          : findings.good("PDF reader", "PDFium");
    const std::string embedder = config.embedder.empty() ? assets.embedder : config.embedder;
    if (embedder.empty()) {
        findings.bad("embedder", "none: " + how);
        return;
    }
    async::WorkerPool workers(1);
    service::LocalEmbedderOptions options;
    options.folder = embedder;
    const auto loaded = service::LocalEmbedder::load(options, workers, Metrics::none());
    if (loaded) {
        const search::EmbedderInfo& info = (*loaded)->info();
        findings.good("embedder", fmt::format("{}, {} dimensions, {} tokens", info.id,
                                              info.dimensions, info.tokens_max));
    } else {
        findings.bad("embedder", loaded.error().message());
    }
    workers.join();
}

// Reads a tiny document, to see the reader work and which walls stand around it.
void check_parser(const Config& config, Findings& findings) {
    const DefaultAssets assets = find_assets(config);
    if (assets.pdfium.empty()) return;
    async::Runtime runtime({.io_threads = 1, .worker_threads = 2});
    ingest::ParserConfig parsing;
    parsing.pdfium_library = assets.pdfium;
    ingest::Parser parser(parsing, runtime.workers());
    const auto read = runtime.run(parser.parse_bytes(std::string(kTinyPdf), "pdf"));
    if (!read) {
        findings.bad("sandbox", read.error().message());
        return;
    }
    const std::string walls = ingest::sandbox::describe_walls(read->walls);
    ingest::sandbox::has(read->walls, ingest::sandbox::Wall::kSeccomp)
        ? findings.good("sandbox", walls)
        : findings.bad("sandbox", walls + "; the kernel offers no seccomp here");
}

void check_upstreams(const Config& config, Findings& findings) {
    if (config.upstreams.empty()) return;
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    const auto client = std::make_shared<http::Client>(http::ClientOptions{});
    for (const std::string& url : config.upstreams) {
        upstream::UpstreamOptions options;
        options.base_url = url;
        const auto api = upstream::OpenAiClient::create(options, client);
        if (!api) {
            findings.bad("upstream", api.error().message());
            continue;
        }
        const auto models =
            runtime.run((*api)->models(async::Deadline::after(std::chrono::seconds(5))));
        models ? findings.good("upstream", fmt::format("{}: {} models", url, models->size()))
               : findings.bad("upstream", fmt::format("{}: {}", url, models.error().message()));
    }
}

int run(const SettingFlags& flags) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    log::set_level(log::Level::kError);
    Findings findings;
    findings.good("heddle", kVersion);
    check_machine(findings);
    advise_model(*config, findings);
    check_folder(*config, findings);
    check_assets(*config, findings);
    check_parser(*config, findings);
    check_upstreams(*config, findings);
    return findings.bad_count() == 0 ? kExitOk : kExitFailed;
}

std::function<int()> set_up(CLI::App& command) {
    const SettingFlags flags(command);
    return [=] { return run(flags); };
}

}  // namespace

Command doctor_command() {
    return {"doctor", "say what is there and what is missing", set_up};
}

}  // namespace heddle::app
