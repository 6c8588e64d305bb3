// GET /documents/{id}/file: the bytes that were uploaded, with ranges and caching.
#include <utility>

#include "api/document_parameters.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "http/target.h"

namespace heddle::api {
namespace {

constexpr const char* kPdf = "application/pdf";

class DocumentBytes final : public http::ByteSource {
public:
    explicit DocumentBytes(std::unique_ptr<service::DocumentFile> file) : file_(std::move(file)) {}
    [[nodiscard]] std::uint64_t bytes() const override { return file_->document().bytes; }
    async::Task<Result<std::string>> read(std::uint64_t offset, std::size_t count) override {
        std::string all;
        while (all.size() < count) {
            HEDDLE_CO_TRY(const std::string piece,
                          co_await file_->read(offset + all.size(), count - all.size()));
            if (piece.empty()) break;
            all += piece;
        }
        co_return all;
    }

private:
    std::unique_ptr<service::DocumentFile> file_;
};

async::Task<http::Response> document_file(Context& context, Call call) {
    if (!context.services.documents) co_return error_response(call.request, no_documents());
    auto file = co_await context.services.documents->open_file(
        call.identity.owner, std::string(call.request.parameter("id")));
    if (!file) co_return error_response(call.request, file.error());
    const service::DocumentInfo document = (*file)->document();
    // Browsers show PDF files in a viewer; anything else is only to be kept, never to be run.
    const bool shown = document.content_type == kPdf;
    http::Response response =
        http::Response::file(call.request, std::make_shared<DocumentBytes>(std::move(*file)),
                             shown ? kPdf : "application/octet-stream", document.sha256);
    // A name in RFC 8187's form needs no quoting rules, whatever its characters.
    response.headers.set("Content-Disposition", (shown ? "inline" : "attachment") +
                                                    std::string("; filename*=UTF-8''") +
                                                    http::percent_encode(document.name));
    response.headers.set("Cache-Control", "private, no-cache");
    // The page's own viewer may show it; as a document of its own it runs nothing.
    response.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
    response.headers.set("X-Frame-Options", "SAMEORIGIN");
    co_return response;
}

}  // namespace

Endpoint document_file_endpoint() {
    return {.method = http::Method::kGet,
            .pattern = "/documents/{id}/file",
            .run = document_file,
            .summary = "The bytes that were uploaded",
            .tag = "documents",
            .response_type = "application/pdf"};
}

}  // namespace heddle::api
