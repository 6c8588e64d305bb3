// Everything an operator can set. One struct, defaults in it, filled once at start from
// heddle.toml, HEDDLE_… variables and flags (later ones win), then passed on by value in pieces;
// nothing below app reads flags, files or the environment.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "markup/main_text.h"

namespace heddle::app {

struct Config {
    // Where and for whom.
    std::string listen = "127.0.0.1:8000";
    std::string data;   // default: $XDG_DATA_HOME/heddle or ~/.local/share/heddle
    std::string store;  // default: SQLite in the data folder
    std::string share;  // default assets; default: share/heddle beside the binary
    std::string api_key_file;
    bool insecure_no_auth = false;
    std::vector<std::string> public_hosts;
    std::string tls_certificate;
    std::string tls_key;

    // Models.
    std::vector<std::string> models;  // [NAME=]PATH
    std::string embedder;             // default: the one in share
    std::vector<std::string> upstreams;
    std::string upstream_key_file;
    std::string upstream_model;  // default model when the upstream serves several
    std::string backend = "cpu";
    std::string reranker;                     // folder of a cross-encoder
    std::vector<std::string> chat_templates;  // [NAME=]FILE
    std::uint32_t model_threads = 0;          // 0: the cores
    std::uint64_t kv_bytes = 0;               // 0: by the machine's memory
    std::string kv_type = "f16";
    std::uint32_t context_max = 0;  // 0: the models' own
    std::uint32_t step_tokens = 512;
    std::uint32_t sequences_max = 64;
    std::string schedule = "continuous";
    std::uint32_t static_batch = 16;
    std::uint32_t answer_tokens = 0;  // of answers that name no limit; 0: what the context holds
    std::uint32_t queue_requests = 256;
    std::uint32_t queue_tokens = 262'144;
    std::string hub;  // where models are pulled from; default: $HF_ENDPOINT or kDefaultHub
    std::string hub_token_file;  // default: $HF_TOKEN itself, if set

    // Documents.
    std::uint64_t upload_bytes_max = std::uint64_t{50} << 20;
    std::vector<std::string> upload_types = {"pdf"};
    std::vector<std::string> watch;  // folders
    std::string chunker = "sentences:250";
    bool widen_passages = false;
    bool require_sandbox = false;
    std::string ocr;  // languages, e.g. "eng+deu"; empty: pages that are pictures have no text
    std::uint32_t ingest_workers = 2;

    // Retrieval.
    std::uint32_t passages = 3;
    std::optional<double> score_threshold;  // default: the embedder's calibrated one

    // Pages.
    bool fetch = true;
    std::vector<std::string> fetch_allow;  // HOST[:PORT] that may be private
    std::uint32_t fetch_urls_max = 3;
    bool fetch_robots = true;
    std::vector<markup::SiteRule> site_rules;
    std::string render;  // a Chromium for pages that need scripts; empty: none
    bool render_as_root = false;

    // Running.
    std::uint32_t io_threads = 0;      // 0: half the cores, at least one
    std::uint32_t worker_threads = 0;  // 0: the cores
    std::chrono::milliseconds answer_timeout{300'000};
    std::chrono::milliseconds drain{30'000};
    std::string log_format = "text";
    std::string log_level = "info";
    bool demo = false;
};

struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] bool loopback() const;
};

// "127.0.0.1:8000", "[::1]:8000", ":8000" (all addresses), "localhost:0" (any free port).
[[nodiscard]] Result<ListenAddress> parse_listen(const std::string& text);

}  // namespace heddle::app
