#include "ingest/sandbox/records.h"

#include <errno.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "text/utf8.h"

namespace heddle::ingest::sandbox {
namespace {

constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kRecordBytesMax = 4U << 20;
constexpr std::size_t kBufferBytes = 64U << 10;
constexpr std::size_t kTitleBytesMax = 1'000;
constexpr std::size_t kLineBytes = 2 * sizeof(std::uint32_t) + 4 * sizeof(float);
constexpr float kPointsMax = 1e6F;

template <class T>
void put(std::string& out, T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
}

// Takes fixed-size values off the front; `ok` turns false when the bytes run out.
struct Cursor {
    std::string_view rest;
    bool ok = true;

    template <class T>
    T take() {
        T value{};
        if (rest.size() < sizeof(T)) {
            ok = false;
            return value;
        }
        std::memcpy(&value, rest.data(), sizeof(T));
        rest.remove_prefix(sizeof(T));
        return value;
    }
};

bool is_measure(float value) {
    return std::isfinite(value) && std::fabs(value) <= kPointsMax;
}

bool is_box(const Box& box) {
    return is_measure(box.left) && is_measure(box.top) && is_measure(box.right) &&
           is_measure(box.bottom);
}

// Clean text holds no control characters but, in code, line breaks and tabs.
bool is_clean_text(std::string_view text, bool code) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool allowed_control = code && (byte == '\n' || byte == '\t');
        if ((byte < 0x20 && !allowed_control) || byte == 0x7F) return false;
    }
    return text::is_valid_utf8(text);
}

Error broken() {
    return Error(ErrorCode::kCorrupt, "the document could not be read").with_reason("unreadable");
}

}  // namespace

Error failure_error(Failure failure, const ParseLimits& limits) {
    const auto error = [](std::string message, const char* reason) {
        return Error(ErrorCode::kCorrupt, std::move(message)).with_reason(reason);
    };
    switch (failure) {
        case Failure::kDamaged:
            return error("the file is damaged or not of its declared type", "damaged");
        case Failure::kEncrypted:
            return error("the file is protected by a password", "encrypted");
        case Failure::kEmpty:
            return error("the file is empty", "empty");
        case Failure::kTooManyPages:
            return error(fmt::format("the file has more than {} pages", limits.pages),
                         "too_many_pages");
        case Failure::kTooMuchText:
            return error(
                fmt::format("the file holds more than {} MiB of text", limits.text_bytes >> 20),
                "too_much_text");
        case Failure::kTooComplex:
            return error("a page of the file is too complex to be read", "too_complex");
        case Failure::kOutOfMemory:
            return error(fmt::format("reading the file takes more than {} MiB of memory",
                                     limits.memory_bytes >> 20),
                         "out_of_memory");
        case Failure::kNoReader:
            return Error(ErrorCode::kUnavailable,
                         "the library that reads this format is not installed; see `heddle doctor`")
                .with_reason("no_reader");
        case Failure::kNoSandbox:
            return Error(ErrorCode::kUnavailable,
                         "documents are refused: this system cannot confine their reader")
                .with_reason("no_sandbox");
        case Failure::kUnpacksTooFar:
            return error("the file unpacks to far more than its size allows", "unpacks_too_far");
    }
    return broken();
}

void RecordWriter::record(RecordKind kind, std::span<const char> payload) {
    put(buffer_, static_cast<std::uint32_t>(payload.size()));
    put(buffer_, static_cast<std::uint8_t>(kind));
    buffer_.append(payload.data(), payload.size());
    if (buffer_.size() >= kBufferBytes) flush();
}

void RecordWriter::flush() {
    std::size_t written = 0;
    while (written < buffer_.size()) {
        const ssize_t n = write(descriptor_, buffer_.data() + written, buffer_.size() - written);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(1);
        written += static_cast<std::size_t>(n);
    }
    buffer_.clear();
}

void RecordWriter::walls(std::uint32_t bits) {
    std::string payload;
    put(payload, bits);
    record(RecordKind::kWalls, payload);
    flush();
}

void RecordWriter::progress(std::uint32_t done, std::uint32_t total) {
    std::string payload;
    put(payload, done);
    put(payload, total);
    record(RecordKind::kProgress, payload);
    flush();
}

void RecordWriter::title(std::string_view text) {
    record(RecordKind::kTitle, text.substr(0, text::floor_utf8(text, kTitleBytesMax)));
}

void RecordWriter::page(const Page& page) {
    std::string payload;
    put(payload, page.width);
    put(payload, page.height);
    put(payload, page.letters);
    record(RecordKind::kPage, payload);
}

void RecordWriter::block(const Block& block) {
    std::string payload;
    put(payload, static_cast<std::uint8_t>(block.kind));
    put(payload, block.level);
    put(payload, block.page);
    put(payload, static_cast<std::uint32_t>(block.lines.size()));
    for (const Line& line : block.lines) {
        put(payload, line.page);
        put(payload, line.start);
        put(payload, line.box);
    }
    payload += block.text;
    record(RecordKind::kBlock, payload);
}

void RecordWriter::hidden(std::uint64_t characters) {
    std::string payload;
    put(payload, characters);
    record(RecordKind::kHidden, payload);
}

void RecordWriter::failure(Failure failure) {
    const char code = static_cast<char>(failure);
    record(RecordKind::kFailure, {&code, 1});
    flush();
}

void RecordWriter::end() {
    record(RecordKind::kEnd, {});
    flush();
}

Result<> RecordReader::feed(std::string_view bytes) {
    bytes_ += bytes.size();
    if (bytes_ > limits_.output_bytes) return fail(failure_error(Failure::kTooMuchText, limits_));
    pending_ += bytes;
    std::size_t at = 0;
    while (pending_.size() - at >= kHeaderBytes) {
        Cursor header{.rest = std::string_view(pending_).substr(at, kHeaderBytes)};
        const auto length = header.take<std::uint32_t>();
        const auto kind = static_cast<RecordKind>(header.take<std::uint8_t>());
        if (length > kRecordBytesMax || finished_) return fail(broken());
        if (pending_.size() - at - kHeaderBytes < length) break;
        const auto payload = std::string_view(pending_).substr(at + kHeaderBytes, length);
        if (!accept(kind, payload)) return fail(broken());
        if (text_bytes_ > limits_.text_bytes)
            return fail(failure_error(Failure::kTooMuchText, limits_));
        at += kHeaderBytes + length;
    }
    pending_.erase(0, at);
    if (finished_ && !pending_.empty()) return fail(broken());
    return {};
}

Result<ParsedDocument> RecordReader::take() {
    if (!finished_) return fail(broken());
    if (failure_ != Failure{}) return fail(failure_error(failure_, limits_));
    return std::move(document_);
}

bool RecordReader::accept(RecordKind kind, std::string_view payload) {
    Cursor cursor{.rest = payload};
    switch (kind) {
        case RecordKind::kWalls:
            document_.walls = cursor.take<std::uint32_t>();
            return cursor.ok && cursor.rest.empty();
        case RecordKind::kProgress:
            return accept_progress(payload);
        case RecordKind::kTitle:
            if (payload.size() > kTitleBytesMax || !is_clean_text(payload, /*code=*/false))
                return false;
            document_.title = payload;
            return true;
        case RecordKind::kPage:
            return accept_page(payload);
        case RecordKind::kBlock:
            return accept_block(payload);
        case RecordKind::kHidden:
            document_.hidden_characters = cursor.take<std::uint64_t>();
            return cursor.ok && cursor.rest.empty();
        case RecordKind::kFailure:
            failure_ = static_cast<Failure>(cursor.take<std::uint8_t>());
            finished_ = true;
            return cursor.ok && cursor.rest.empty() && failure_ >= Failure::kDamaged &&
                   failure_ <= Failure::kUnpacksTooFar;
        case RecordKind::kEnd:
            finished_ = true;
            return payload.empty();
    }
    return false;
}

bool RecordReader::accept_progress(std::string_view payload) {
    Cursor cursor{.rest = payload};
    const auto done = cursor.take<std::uint32_t>();
    const auto total = cursor.take<std::uint32_t>();
    if (!cursor.ok || !cursor.rest.empty() || done > total || total > limits_.pages) return false;
    if (on_progress_) on_progress_(done, total);
    return true;
}

bool RecordReader::accept_page(std::string_view payload) {
    Cursor cursor{.rest = payload};
    Page page;
    page.width = cursor.take<float>();
    page.height = cursor.take<float>();
    page.letters = cursor.take<std::uint32_t>();
    if (!cursor.ok || !cursor.rest.empty() || document_.pages.size() >= limits_.pages) return false;
    if (!is_measure(page.width) || !is_measure(page.height)) return false;
    document_.pages.push_back(page);
    return true;
}

bool RecordReader::accept_block(std::string_view payload) {
    Cursor cursor{.rest = payload};
    Block block;
    block.kind = static_cast<BlockKind>(cursor.take<std::uint8_t>());
    block.level = cursor.take<std::uint8_t>();
    block.page = cursor.take<std::uint32_t>();
    const auto lines = cursor.take<std::uint32_t>();
    if (!cursor.ok || block.kind > BlockKind::kCode || block.level > 6) return false;
    const bool paged = !document_.pages.empty();
    if (block.page > document_.pages.size() || (paged && block.page == 0)) return false;
    if (lines > cursor.rest.size() / kLineBytes) return false;
    block.lines.reserve(lines);
    for (std::uint32_t i = 0; i < lines; ++i) {
        Line line;
        line.page = cursor.take<std::uint32_t>();
        line.start = cursor.take<std::uint32_t>();
        line.box = cursor.take<Box>();
        const bool rises = block.lines.empty() || line.start >= block.lines.back().start;
        if (line.page == 0 || line.page > document_.pages.size() || !rises || !is_box(line.box))
            return false;
        block.lines.push_back(line);
    }
    block.text = cursor.rest;
    if (block.text.empty() || (lines > 0 && block.lines.back().start >= block.text.size()))
        return false;
    text_bytes_ += block.text.size();
    const bool clean = is_clean_text(block.text, block.kind == BlockKind::kCode);
    document_.blocks.push_back(std::move(block));
    return clean;
}

}  // namespace heddle::ingest::sandbox
