#include "api/document_json.h"

namespace heddle::api {

nlohmann::json to_json(const service::DocumentInfo& document) {
    nlohmann::json json = {
        {"id", document.id},
        {"collection", document.collection},
        {"name", document.name},
        {"title", document.title},
        {"content_type", document.content_type},
        {"bytes", document.bytes},
        {"sha256", document.sha256},
        {"state", service::to_string(document.state)},
        {"progress", {{"done", document.progress.done}, {"total", document.progress.total}}},
        {"pages", document.pages},
        {"chunks", document.chunks},
        {"created_ms", document.created_ms},
        {"updated_ms", document.updated_ms},
    };
    if (!document.pages_without_text.empty()) {
        json["pages_without_text"] = document.pages_without_text;
    }
    if (document.hidden_characters > 0) json["hidden_characters"] = document.hidden_characters;
    if (!document.warning.empty()) json["warning"] = document.warning;
    if (!document.error.empty()) {
        json["error"] = document.error;
        json["retryable"] = document.retryable;
    }
    return json;
}

nlohmann::json to_json(const service::ChunkInfo& chunk) {
    nlohmann::json boxes = nlohmann::json::array();
    for (const service::ChunkBox& box : chunk.boxes) {
        boxes.push_back({{"page", box.page},
                         {"left", box.left},
                         {"top", box.top},
                         {"right", box.right},
                         {"bottom", box.bottom}});
    }
    return {{"id", chunk.id},
            {"document", chunk.document},
            {"ordinal", chunk.ordinal},
            {"text", chunk.text},
            {"heading_path", chunk.heading_path},
            {"page", chunk.page_start},
            {"page_end", chunk.page_end},
            {"char_start", chunk.char_start},
            {"char_end", chunk.char_end},
            {"boxes", std::move(boxes)}};
}

}  // namespace heddle::api
