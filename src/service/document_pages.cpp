// What a document looks like: its passages with their places, and its pages as pictures.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "async/offload.h"
#include "service/document_library.h"

namespace heddle::service {
namespace {

constexpr std::size_t kChunksMax = 1000;

std::vector<ChunkBox> read_boxes(const std::string& json) {
    std::vector<ChunkBox> boxes;
    simdjson::dom::parser parser;
    simdjson::dom::array lines;
    if (parser.parse(json).get(lines) != simdjson::SUCCESS) return boxes;
    for (const simdjson::dom::element line : lines) {
        std::uint64_t page = 0;
        double left = 0;
        double top = 0;
        double right = 0;
        double bottom = 0;
        const bool whole = !line["page"].get(page) && !line["left"].get(left) &&
                           !line["top"].get(top) && !line["right"].get(right) &&
                           !line["bottom"].get(bottom);
        if (!whole) continue;
        boxes.push_back({static_cast<std::uint32_t>(page), static_cast<float>(left),
                         static_cast<float>(top), static_cast<float>(right),
                         static_cast<float>(bottom)});
    }
    return boxes;
}

ChunkInfo chunk_info(search::StoredChunk chunk) {
    ChunkInfo info{.id = std::move(chunk.id),
                   .document = std::move(chunk.document),
                   .ordinal = chunk.ordinal,
                   .text = std::move(chunk.text),
                   .heading_path = std::move(chunk.heading_path),
                   .page_start = chunk.page_start,
                   .page_end = chunk.page_end,
                   .char_start = chunk.char_start,
                   .char_end = chunk.char_end};
    info.boxes = read_boxes(chunk.boxes);
    return info;
}

std::vector<ingest::Box> boxes_on_page(const ChunkInfo& chunk, std::uint32_t page) {
    std::vector<ingest::Box> boxes;
    for (const ChunkBox& box : chunk.boxes) {
        if (box.page == page) boxes.push_back({box.left, box.top, box.right, box.bottom});
    }
    return boxes;
}

}  // namespace

async::Task<Result<std::vector<ChunkInfo>>> DocumentLibrary::chunks(std::string owner,
                                                                    std::string id,
                                                                    std::size_t first,
                                                                    std::size_t limit) {
    HEDDLE_CO_TRY(const DocumentRow row, co_await row_of(owner, id));
    std::vector<ChunkInfo> infos;
    if (row.info.state != DocumentState::kReady || first > UINT32_MAX) co_return infos;
    HEDDLE_CO_TRY(auto stored, co_await parts_.collections.chunks(owner, row.info.collection, id,
                                                                  static_cast<std::uint32_t>(first),
                                                                  std::min(limit, kChunksMax)));
    for (search::StoredChunk& chunk : stored) infos.push_back(chunk_info(std::move(chunk)));
    co_return infos;
}

async::Task<Result<std::vector<ingest::Box>>> DocumentLibrary::marked_boxes(
    std::string owner, DocumentRow row, PictureRequest request) {
    std::vector<ingest::Box> boxes;
    if (request.highlight.empty()) co_return boxes;
    const auto ordinal = search::chunk_ordinal(request.highlight, row.info.id);
    if (!ordinal) co_return fail(ErrorCode::kNotFound, "the document has no such passage");
    HEDDLE_CO_TRY(const auto chunks, co_await this->chunks(owner, row.info.id, *ordinal, 1));
    if (chunks.empty() || chunks.front().ordinal != *ordinal)
        co_return fail(ErrorCode::kNotFound, "the document has no such passage");
    co_return boxes_on_page(chunks.front(), request.page);
}

async::Task<Result<std::string>> DocumentLibrary::page_picture(std::string owner, std::string id,
                                                               PictureRequest request) {
    HEDDLE_CO_TRY(const DocumentRow row, co_await row_of(owner, std::move(id)));
    if (row.format != "pdf")
        co_return fail(ErrorCode::kNotFound, "only the pages of PDF documents can be shown");
    HEDDLE_CO_TRY(const std::vector<ingest::Box> boxes,
                  co_await marked_boxes(std::move(owner), row, request));
    HEDDLE_CO_TRY(const storage::Blob blob, co_await parts_.blobs.open(row.blob));
    Result<ingest::Picture> picture = fail(ErrorCode::kInternal, "no picture");
    if (blob.descriptor() >= 0) {
        picture = co_await parts_.painter.paint(blob.descriptor(), request.page, request.width);
    } else {
        HEDDLE_CO_TRY(std::string bytes, co_await blob.read(0, blob.size()));
        picture =
            co_await parts_.painter.paint_bytes(std::move(bytes), request.page, request.width);
    }
    if (!picture) co_return fail(picture.error());
    auto encode = [&] {
        ingest::mark_boxes(*picture, boxes);
        return ingest::encode_png(*picture);
    };
    co_return co_await async::offload(parts_.pool, encode);
}

}  // namespace heddle::service
