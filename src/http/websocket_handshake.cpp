#include "http/websocket_handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/evp.h>

#include "base/check.h"
#include "http/request.h"

namespace heddle::http {
namespace {

std::string base64(const unsigned char* bytes, std::size_t count) {
    std::string out((count + 2) / 3 * 4 + 1, '\0');  // EVP writes a NUL behind it
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes,
                                       static_cast<int>(count));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

// Sixteen bytes in base64.
bool is_key(std::string_view key) {
    return key.size() == 24 && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '+' || c == '/';
           });
}

// A browser names the page that opens the socket. Other programs send no Origin.
bool is_origin_allowed(const Request& request, const std::vector<std::string>& origins) {
    if (!request.headers().has("origin")) return true;
    const std::string_view origin = request.header("origin");
    if (std::find(origins.begin(), origins.end(), origin) != origins.end()) return true;
    const std::size_t scheme = origin.find("://");
    if (scheme == std::string_view::npos) return false;
    return equals_ignoring_case(origin.substr(scheme + 3), request.header("host"));
}

}  // namespace

std::string websocket_accept_value(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int length = 0;
    const int ok =
        EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr);
    HEDDLE_CHECK(ok == 1, "OpenSSL has SHA-1");
    return base64(digest.data(), length);
}

Response websocket_handshake(const Request& request, WebSocketHandler handler,
                             const std::vector<std::string>& origins) {
    const auto refuse = [](int status, std::string_view why) {
        return Response::json(status, R"({"detail":")" + std::string(why) + "\"}");
    };
    const Headers& headers = request.headers();
    if (!headers.has_token("upgrade", "websocket") || !headers.has_token("connection", "upgrade")) {
        Response response = refuse(426, "this address speaks WebSocket");
        response.headers.set("Upgrade", "websocket");
        return response;
    }
    if (headers.get("sec-websocket-version") != "13") {
        Response response = refuse(426, "WebSocket version 13 is needed");
        response.headers.set("Sec-WebSocket-Version", "13");
        return response;
    }
    if (request.method() != Method::kGet || headers.count("sec-websocket-key") != 1 ||
        !is_key(headers.get("sec-websocket-key"))) {
        return refuse(400, "malformed WebSocket handshake");
    }
    if (!is_origin_allowed(request, origins)) return refuse(403, "this origin is not allowed");
    Response response = Response::empty(101);
    response.headers.add("Upgrade", "websocket");
    response.headers.add("Connection", "Upgrade");
    response.headers.add("Sec-WebSocket-Accept",
                         websocket_accept_value(headers.get("sec-websocket-key")));
    response.content = WebSocketBody{std::move(handler)};
    return response;
}

}  // namespace heddle::http
