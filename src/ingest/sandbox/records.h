// The wire between parser process and server: length-prefixed records, one way, from the process
// that has read foreign bytes to the one that must not believe it.
//
// Record = u32 length of the payload, u8 kind, payload; numbers little-endian.
//   walls    u32 bits of sandbox::Wall
//   progress u32 pages done, u32 pages in all
//   title    UTF-8
//   page     f32 width, f32 height, u32 letters
//   block    u8 kind, u8 level, u32 page, u32 lines,
//            lines × (u32 page, u32 start, f32 left, top, right, bottom), UTF-8
//   hidden   u64 characters
//   failure  u8 Failure; the last record
//   end      empty; the last record
// Pages come before blocks, and blocks in reading order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingest/document.h"
#include "ingest/limits.h"

namespace heddle::ingest::sandbox {

enum class RecordKind : std::uint8_t {
    kWalls = 1,
    kProgress,
    kTitle,
    kPage,
    kBlock,
    kHidden,
    kFailure,
    kEnd,
};

// Why a reader gave up. The words for it are chosen by the server, never sent by the parser.
enum class Failure : std::uint8_t {
    kDamaged = 1,
    kEncrypted,
    kEmpty,
    kTooManyPages,
    kTooMuchText,
    kTooComplex,
    kOutOfMemory,
    kNoReader,
    kNoSandbox,
    kUnpacksTooFar,
};

// An error with reason() "encrypted", "damaged", …, and a message fit for the client.
[[nodiscard]] Error failure_error(Failure failure, const ParseLimits& limits);

// Parser side. Buffers, then writes to the descriptor; a failed write ends the process (the
// server has gone). One thread.
class RecordWriter {
public:
    explicit RecordWriter(int descriptor) : descriptor_(descriptor) {}

    void walls(std::uint32_t bits);
    void progress(std::uint32_t done, std::uint32_t total);
    void title(std::string_view text);
    void page(const Page& page);
    void block(const Block& block);
    void hidden(std::uint64_t characters);
    void failure(Failure failure);
    void end();
    void flush();

private:
    void record(RecordKind kind, std::span<const char> payload);

    int descriptor_;
    std::string buffer_;
};

// Server side: takes bytes as they come and checks every one of them. One thread.
class RecordReader {
public:
    using OnProgress = std::function<void(std::uint32_t done, std::uint32_t total)>;

    RecordReader(ParseLimits limits, OnProgress on_progress)
        : limits_(limits), on_progress_(std::move(on_progress)) {}

    // kCorrupt for anything that a sound parser would not send; the reader is then useless.
    [[nodiscard]] Result<> feed(std::string_view bytes);

    // An end or a failure has been read.
    [[nodiscard]] bool finished() const { return finished_; }
    // The document, or the parser's failure; kCorrupt before the end.
    [[nodiscard]] Result<ParsedDocument> take();
    [[nodiscard]] std::uint32_t walls() const { return document_.walls; }

private:
    [[nodiscard]] bool accept(RecordKind kind, std::string_view payload);
    [[nodiscard]] bool accept_progress(std::string_view payload);
    [[nodiscard]] bool accept_page(std::string_view payload);
    [[nodiscard]] bool accept_block(std::string_view payload);

    const ParseLimits limits_;
    const OnProgress on_progress_;
    std::string pending_;
    ParsedDocument document_;
    std::uint64_t bytes_ = 0;
    std::uint64_t text_bytes_ = 0;
    Failure failure_{};
    bool finished_ = false;
};

}  // namespace heddle::ingest::sandbox
