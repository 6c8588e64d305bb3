// GET /documents/{id}/pages/{n}.png: a page as a picture, with the lines of one passage marked.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"

namespace heddle::api {
namespace {

constexpr std::size_t kWidthLeast = 64;
constexpr std::size_t kWidthMost = 2400;
constexpr std::size_t kWidthUsual = 1200;

// "12.png"
std::optional<std::uint32_t> page_of(std::string_view name) {
    constexpr std::string_view kEnding = ".png";
    if (!name.ends_with(kEnding)) return std::nullopt;
    name.remove_suffix(kEnding.size());
    std::uint32_t page = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), page);
    if (error != std::errc() || end != name.data() + name.size() || page == 0) return std::nullopt;
    return page;
}

// What a document's bytes, the page and the marks make the picture to be; empty where the passage
// has a name that none has, since the picture is then an error.
std::string tag_of(const service::DocumentInfo& document, const service::PictureRequest& request) {
    const std::string_view mark = request.highlight;
    const bool plain = std::all_of(mark.begin(), mark.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '-';
    });
    if (!plain) return {};
    return document.sha256.substr(0, 32) + "-" + std::to_string(request.page) + "-" +
           std::to_string(request.width) + "-" + request.highlight;
}

async::Task<http::Response> document_page(Context& context, Call call) {
    const http::Request& request = call.request;
    if (!context.services.documents) co_return error_response(request, no_documents());
    service::Documents& documents = *context.services.documents;
    const std::string& owner = call.identity.owner;
    const auto page = page_of(request.parameter("page"));
    if (!page) {
        const Error unknown(ErrorCode::kNotFound, "pages are called 1.png, 2.png, …");
        co_return error_response(request, unknown);
    }
    const auto width = count_parameter(request, "width", kWidthLeast, kWidthMost, kWidthUsual);
    if (!width) co_return error_response(request, width.error());
    const auto document = co_await documents.get(owner, std::string(request.parameter("id")));
    if (!document) co_return error_response(request, document.error());
    service::PictureRequest wanted{
        .page = *page,
        .width = static_cast<std::uint32_t>(*width),
        .highlight = std::string(request.query("highlight").value_or(""))};
    const std::string tag = tag_of(*document, wanted);
    // Painting costs a process: whoever has the picture does not cause one.
    http::Response response = http::Response::cached(request, "image/png", "", tag);
    if (tag.empty() || response.status != 304) {
        auto picture = co_await documents.page_picture(owner, document->id, std::move(wanted));
        if (!picture) co_return error_response(request, picture.error());
        response = http::Response::cached(request, "image/png", std::move(*picture), tag);
    }
    response.headers.set("Cache-Control", "private, max-age=3600");
    co_return response;
}

}  // namespace

Endpoint document_page_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/documents/{id}/pages/{page}",
            .run = document_page,
            .summary = "A page as a picture (N.png), with the lines of one passage marked",
            .tag = "documents",
            .starts_work = true,
            .response_type = "image/png",
            .query = {{"highlight", "string", "Id of the chunk to be marked"},
                      {"width", "integer", "64 to 2400 pixels, 1200 if absent"}}};
}

}  // namespace heddle::api
