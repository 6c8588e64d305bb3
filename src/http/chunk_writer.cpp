#include "http/chunk_writer.h"

#include <fmt/format.h>

namespace heddle::http {

async::Task<> ChunkWriter::write(std::string_view bytes) {
    if (bytes.empty() || instead_) co_return;  // an empty chunk would end the body
    std::string prefix = std::exchange(head_, {});
    if (chunked_) fmt::format_to(std::back_inserter(prefix), "{:x}\r\n", bytes.size());
    const std::string_view suffix = chunked_ ? "\r\n" : "";
    const Pieces pieces = {prefix, bytes, suffix};
    co_await stream_.write(pieces);
}

bool ChunkWriter::answer_instead(Response response) {
    if (has_begun()) return false;
    instead_ = std::move(response);
    return true;
}

async::Task<> ChunkWriter::finish() {
    const std::string head = std::exchange(head_, {});
    const std::string_view end = chunked_ ? "0\r\n\r\n" : "";
    const Pieces pieces = {head, end, {}};
    co_await stream_.write(pieces);
}

}  // namespace heddle::http
