// heddle bench throughput|latency|model: the engine in this process.
#pragma once

#include <CLI/App.hpp>

namespace heddle::app {

// Adds the subcommands; each leaves its exit status in `status`.
void add_engine_benches(CLI::App& bench, int& status);
// heddle bench serve: any OpenAI-compatible server.
void add_serve_bench(CLI::App& bench, int& status);

}  // namespace heddle::app
