#include "http/response.h"

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

Response Response::file(const Request& request, std::shared_ptr<ByteSource> source,
                        std::string content_type, std::string_view etag) {
    Response response = empty(200);
    response.headers.add("Content-Type", std::move(content_type));
    response.headers.add("Accept-Ranges", "bytes");
    if (not_modified(request, response, etag)) return response;
    const std::uint64_t total = source->bytes();
    FileBody body{std::move(source), 0, total};
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
