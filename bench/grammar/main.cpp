// Times token masks: bench_grammar TOKENS CASES prints a line of JSON for each case.
// TOKENS: for each id its special flag (one byte), length (u32) and bytes. CASES: lines of
// {"schema": TEXT, "instances": [[ids...], ...]}; both written by run.py.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/grammar/matcher.h"

namespace {

using heddle::engine::TokenTable;
using nlohmann::json;
namespace grammar = heddle::engine::grammar;
using Clock = std::chrono::steady_clock;

TokenTable read_tokens(const char* path) {
    std::ifstream in(path, std::ios::binary);
    const std::string data{std::istreambuf_iterator<char>(in), {}};
    TokenTable table;
    for (std::size_t at = 0; at + 5 <= data.size();) {
        const bool special = data[at] != 0;
        std::uint32_t length = 0;
        std::memcpy(&length, data.data() + at + 1, sizeof length);
        table.add(std::string_view(data).substr(at + 5, length), special);
        at += 5 + length;
    }
    return table;
}

double microseconds(Clock::time_point since) {
    return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

json run_instance(const std::shared_ptr<grammar::Machine>& machine, const json& ids) {
    std::vector<double> masks;
    grammar::Matcher matcher(machine);
    for (const auto& id : ids) {
        const auto begin = Clock::now();
        const auto mask = matcher.mask({});
        masks.push_back(microseconds(begin));
        const int token = id;
        if (!mask || !mask->test(static_cast<std::size_t>(token)) || !matcher.accept(token)) {
            return {{"accepted", false}, {"mask_us", masks}};
        }
    }
    return {{"accepted", matcher.is_whole()}, {"mask_us", masks}};
}

json run_case(const json& one, const grammar::TokenTrie& trie) {
    const auto begin = Clock::now();
    auto compiled = grammar::compile_json_schema(one.at("schema").get<std::string>());
    if (!compiled) return {{"error", compiled.error().message()}};
    const auto machine = std::make_shared<grammar::Machine>(
        std::make_shared<const grammar::Grammar>(std::move(*compiled)), trie);
    json result{{"compile_us", microseconds(begin)}, {"instances", json::array()}};
    for (const auto& ids : one.at("instances")) {
        result["instances"].push_back(run_instance(machine, ids));
    }
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: bench_grammar TOKENS CASES\n");
        return 2;
    }
    const TokenTable tokens = read_tokens(argv[1]);
    const grammar::TokenTrie trie(tokens);
    std::ifstream cases(argv[2]);
    for (std::string line; std::getline(cases, line);) {
        fmt::print("{}\n", run_case(json::parse(line), trie).dump());
    }
}
