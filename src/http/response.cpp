#include "http/response.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "http/conditional.h"
#include "http/request.h"
#include "http/websocket_handshake.h"

namespace heddle::http {
namespace {

// Adds what identifies the content; 304 in place of the body where the client has it already.
bool not_modified(const Request& request, Response& response, std::string_view etag) {
    response.headers.set("ETag", quoted_etag(etag));
    if (!matches_etag(request.header("if-none-match"), etag)) return false;
    response.status = 304;
    response.content = std::string();
    return true;
}

}  // namespace

Result<std::shared_ptr<OpenFile>> OpenFile::open_blocking(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT) return fail(ErrorCode::kNotFound, "no such file");
    if (descriptor < 0) return fail(ErrorCode::kIo, "the file cannot be opened");
    auto file = std::make_shared<OpenFile>(descriptor);
    struct stat status = {};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        return fail(ErrorCode::kNotFound, "not a regular file");
    }
    file->bytes_ = static_cast<std::uint64_t>(status.st_size);
    return file;
}

OpenFile::~OpenFile() {
    ::close(descriptor_);
}

Result<std::string> OpenFile::read_blocking(std::uint64_t offset, std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t filled = 0;
    while (filled < count) {
        const ssize_t got = ::pread(descriptor_, bytes.data() + filled, count - filled,
                                    static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(ErrorCode::kIo, "the file cannot be read");
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

Response Response::empty(int status) {
    Response response;
    response.status = status;
    return response;
}

Response Response::text(int status, std::string content_type, std::string body) {
    Response response = empty(status);
    response.headers.add("Content-Type", std::move(content_type));
    response.content = std::move(body);
    return response;
}

Response Response::json(int status, std::string body) {
    return text(status, "application/json", std::move(body));
}

Response Response::stream(std::string content_type, BodyProducer producer) {
    Response response = empty(200);
    response.headers.add("Content-Type", std::move(content_type));
    response.content = StreamBody{std::move(producer), false};
    return response;
}

Response Response::events(BodyProducer producer) {
    Response response = stream("text/event-stream; charset=utf-8", {});
    response.headers.set("Cache-Control", "no-cache");
    response.headers.set("X-Accel-Buffering", "no");  // reverse proxies must not collect events
    response.content = StreamBody{std::move(producer), true};
    return response;
}

Response Response::file(const Request& request, std::shared_ptr<OpenFile> file,
                        std::string content_type, std::string_view etag) {
    Response response = empty(200);
    response.headers.add("Content-Type", std::move(content_type));
    response.headers.add("Accept-Ranges", "bytes");
    if (not_modified(request, response, etag)) return response;
    const std::uint64_t total = file->bytes();
    FileBody body{std::move(file), 0, total};
    const bool current =
        !request.headers().has("if-range") || request.header("if-range") == quoted_etag(etag);
    const RangeOutcome range =
        current ? parse_range(request.header("range"), total) : RangeOutcome{};
    if (range.kind == RangeOutcome::Kind::kUnsatisfiable) {
        response.status = 416;
        response.headers.add("Content-Range", "bytes */" + std::to_string(total));
        return response;
    }
    if (range.kind == RangeOutcome::Kind::kPart) {
        response.status = 206;
        response.headers.add("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                                  std::to_string(range.last) + "/" +
                                                  std::to_string(total));
        body.offset = range.first;
        body.bytes = range.last - range.first + 1;
    }
    response.content = std::move(body);
    return response;
}

Response Response::cached(const Request& request, std::string content_type, std::string body,
                          std::string_view etag) {
    Response response = text(200, std::move(content_type), std::move(body));
    not_modified(request, response, etag);
    return response;
}

Response Response::websocket(const Request& request, WebSocketHandler handler,
                             const std::vector<std::string>& origins) {
    return websocket_handshake(request, std::move(handler), origins);
}

}  // namespace heddle::http
