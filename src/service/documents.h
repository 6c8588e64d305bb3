// The owners' documents: from the bytes of an upload to passages that can be found, and out again.
//
// An upload is durable before it is acknowledged: the file is on disk and the row and its job are
// committed together. The rest is a job that survives restarts:
//   queued → extracting (page n of m) → embedding (chunk n of m) → ready | failed(reason)
// "ready" means that every chunk has its vector and its keywords. Deleting works in every state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"

namespace heddle::service {

enum class DocumentState { kQueued, kExtracting, kEmbedding, kReady, kFailed };
[[nodiscard]] std::string_view to_string(DocumentState state);

struct Progress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // 0 while unknown
};

// What clients see of a document. `name` is the uploader's and untrusted: data only.
struct DocumentInfo {
    std::string id;
    std::string collection;
    std::string name;
    std::string title;  // from the document itself; the name when it has none
    std::string content_type;
    std::uint64_t bytes = 0;
    std::string sha256;  // hex, lower case
    DocumentState state = DocumentState::kQueued;
    Progress progress;  // pages while extracting, chunks while embedding
    std::uint64_t pages = 0;
    std::uint64_t chunks = 0;
    std::vector<std::uint32_t> pages_without_text;  // scans, from 1
    std::uint64_t hidden_characters = 0;            // invisible text that was dropped
    std::string warning;  // what its owner should know of a document that did not fail
    std::string error;    // why it failed, fit for the client
    bool retryable = false;
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
};

struct UploadRequest {
    std::string owner;
    std::string collection = "knowledgebase";
    std::string name;          // as the client sent it
    std::string content_type;  // as the client sent it; checked against the bytes
};

struct UploadOutcome {
    DocumentInfo document;
    // The same bytes were there already: `document` is the one that holds them.
    bool existing = false;
};

// One upload in progress. Destroyed before finish() it leaves nothing behind. Used by one
// coroutine at a time.
class Upload {
public:
    virtual ~Upload() = default;

    // kTooLarge past the limit; kInvalidArgument when the first 1,024 bytes show that the content
    // is not of an accepted type. After an error the upload is over.
    virtual async::Task<Result<>> write(std::string bytes) = 0;

    // Durable when it returns: synced, renamed, row and job committed. A document of the same
    // name in the collection stays searchable until the new one is ready, then it is replaced in
    // one step.
    virtual async::Task<Result<UploadOutcome>> finish() = 0;
};

// The original bytes of a document.
class DocumentFile {
public:
    virtual ~DocumentFile() = default;
    [[nodiscard]] virtual const DocumentInfo& document() const = 0;
    // At most `bytes` from `offset`; empty at the end.
    virtual async::Task<Result<std::string>> read(std::uint64_t offset, std::size_t bytes) = 0;
};

struct DocumentQuery {
    std::optional<std::string> collection;
    std::optional<DocumentState> state;
    std::string after;  // id of the last document of the page before
    std::size_t limit = 100;
};

// Where a chunk stands on its pages, in points from the page's top left corner.
struct ChunkBox {
    std::uint32_t page = 0;  // from 1
    float left = 0;
    float top = 0;
    float right = 0;
    float bottom = 0;
};

struct ChunkInfo {
    std::string id;
    std::string document;
    std::uint32_t ordinal = 0;
    std::string text;
    std::string heading_path;  // "Chapter › Section"; empty without headings
    std::uint32_t page_start = 0;
    std::uint32_t page_end = 0;
    std::uint64_t char_start = 0;  // Unicode characters of the document's text
    std::uint64_t char_end = 0;
    std::vector<ChunkBox> boxes;
};

// A page of a PDF document as a picture, with the lines of one chunk marked.
struct PictureRequest {
    std::uint32_t page = 1;      // from 1
    std::uint32_t width = 1200;  // pixels; fewer where the page would be too large a picture
    std::string highlight;       // a chunk's id; empty marks nothing
};

// Follows one document. Used by one coroutine at a time.
class DocumentWatch {
public:
    virtual ~DocumentWatch() = default;
    // First the document as it is, then as it is after each change (a slow reader skips some, but
    // never the last); nothing once it has been seen ready, failed or deleted.
    virtual async::Task<Result<std::optional<DocumentInfo>>> next() = 0;
};

// Thread-safe. Every call takes the owner; another owner's document is kNotFound.
class Documents {
public:
    virtual ~Documents() = default;

    // kInvalidArgument with the message "Only uploading PDF documents are supported" for a
    // declared type outside the accepted ones; kUnavailable while the queue is full.
    virtual async::Task<Result<std::unique_ptr<Upload>>> upload(UploadRequest request) = 0;

    // Newest first.
    virtual async::Task<Result<std::vector<DocumentInfo>>> list(std::string owner,
                                                                DocumentQuery query) = 0;
    virtual async::Task<Result<DocumentInfo>> get(std::string owner, std::string id) = 0;

    // The row, its chunks, vectors, keywords and file are gone when it returns; a job under way
    // is cancelled.
    virtual async::Task<Result<>> remove(std::string owner, std::string id) = 0;

    virtual async::Task<Result<std::unique_ptr<DocumentWatch>>> watch(std::string owner,
                                                                      std::string id) = 0;

    virtual async::Task<Result<std::unique_ptr<DocumentFile>>> open_file(std::string owner,
                                                                         std::string id) = 0;

    // PNG. kNotFound for a page or chunk that the document does not have, or a document that is no
    // PDF file; kCorrupt with a reason for a page that cannot be painted.
    virtual async::Task<Result<std::string>> page_picture(std::string owner, std::string id,
                                                          PictureRequest request) = 0;

    virtual async::Task<Result<std::vector<ChunkInfo>>> chunks(std::string owner, std::string id,
                                                               std::size_t first,
                                                               std::size_t limit) = 0;
};

}  // namespace heddle::service
