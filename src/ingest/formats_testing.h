// A file read by the parser process, as tests compare it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "async/runtime.h"
#include "ingest/parser_testing.h"

namespace heddle::ingest {

using Blocks = std::vector<std::pair<BlockKind, std::string>>;

[[nodiscard]] inline Blocks blocks_of(const ParsedDocument& document) {
    Blocks blocks;
    for (const Block& block : document.blocks) blocks.emplace_back(block.kind, block.text);
    return blocks;
}

class ReadingHouse {
public:
    Result<ParsedDocument> read(std::string bytes, std::string format) {
        return runtime_.run(parser_.parse_bytes(std::move(bytes), std::move(format)));
    }
    // The reason of the refusal; empty for a document that can be read.
    std::string refusal(std::string bytes, std::string format) {
        const auto document = read(std::move(bytes), std::move(format));
        return document ? std::string() : std::string(document.error().reason());
    }

private:
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    Parser parser_{testing_parser_config(), runtime_.workers()};
};

}  // namespace heddle::ingest
