// Times token masks: bench_grammar TOKENS CASES prints a line of JSON for each case.
// TOKENS: for each id its special flag (one byte), length (u32) and bytes. CASES: lines of
// {"schema": TEXT, "instances": [[ids...], ...], "invalid": [[ids...], ...]}; both written by
// run.py. Times are the thread's processor time, which a busy machine does not stretch.
#include <fmt/format.h>
#include <time.h>

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

double processor_us() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

json run_instance(const std::shared_ptr<grammar::Machine>& machine, const json& ids) {
    std::vector<double> masks;
    grammar::Matcher matcher(machine);
    for (const auto& id : ids) {
        const double begin = processor_us();
        const auto mask = matcher.mask({});
        masks.push_back(processor_us() - begin);
        const int token = id;
        if (!mask || !mask->test(static_cast<std::size_t>(token)) || !matcher.accept(token)) {
            return {{"accepted", false}, {"mask_us", masks}};
        }
    }
    return {{"accepted", matcher.is_whole()}, {"mask_us", masks}};
}

json run_case(const json& one, const grammar::TokenTrie& trie) {
    const double begin = processor_us();
    auto compiled = grammar::compile_json_schema(one.at("schema").get<std::string>());
    if (!compiled) return {{"error", compiled.error().message()}};
    const auto machine = std::make_shared<grammar::Machine>(
        std::make_shared<const grammar::Grammar>(std::move(*compiled)), trie);
    json result{{"compile_us", processor_us() - begin}, {"instances", json::array()}};
    for (const auto& ids : one.at("instances")) {
        result["instances"].push_back(run_instance(machine, ids));
    }
    int wrong = 0;
    for (const auto& ids : one.at("invalid"))
        wrong += run_instance(machine, ids)["accepted"] == true;
    result["invalid_accepted"] = wrong;
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
