// POST /upload: one file in multipart/form-data, written on as it arrives.
#include <utility>
#include <vector>

#include "api/document_json.h"
#include "api/endpoints.h"
#include "api/error_response.h"
#include "api/generate_text_request.h"
#include "api/json_text.h"
#include "http/multipart.h"

namespace heddle::api {
namespace {

constexpr std::size_t kFieldBytesMax = 1024;
constexpr std::size_t kFileNameBytesMax = 1024;

// Collects what one piece of the body yields. The parser calls it synchronously; the coroutine
// writes out afterwards what it has kept, so that at most one piece of the body is in memory.
class UploadForm final : public http::MultipartSink {
public:
    Result<> begin_part(const http::PartHeader& header) override {
        in_file_ = header.name == "file";
        in_collection_ = header.name == "collection" && !header.is_file;
        if (!in_file_) return {};
        if (has_file_) return fail(ErrorCode::kInvalidArgument, "only one file can be uploaded");
        if (!header.is_file) return fail(ErrorCode::kInvalidArgument, "`file` must be a file");
        if (header.file_name.size() > kFileNameBytesMax) {
            return fail(ErrorCode::kInvalidArgument, "the file name is too long");
        }
        has_file_ = true;
        file_ = header;
        return {};
    }
    Result<> part_data(std::string_view bytes) override {
        if (in_file_) pending_ += bytes;
        if (!in_collection_) return {};
        collection_ += bytes;
        if (collection_.size() > kFieldBytesMax) {
            return fail(ErrorCode::kInvalidArgument, "a form field is too long");
        }
        return {};
    }
    Result<> end_part() override {
        in_file_ = in_collection_ = false;
        return {};
    }

    [[nodiscard]] bool has_file() const { return has_file_; }
    [[nodiscard]] const http::PartHeader& file() const { return file_; }
    [[nodiscard]] const std::string& collection() const { return collection_; }
    [[nodiscard]] std::string take_pending() { return std::exchange(pending_, {}); }

private:
    bool in_file_ = false;
    bool in_collection_ = false;
    bool has_file_ = false;
    http::PartHeader file_;
    std::string collection_;
    std::string pending_;
};

// `?collection=` or a form field that stands before the file.
Result<std::string> collection_of(const http::Request& request, const UploadForm& form) {
    std::string name(request.query("collection").value_or(form.collection()));
    if (name.empty()) name = "knowledgebase";
    if (is_collection_name(name)) return name;
    return fail(Error(ErrorCode::kInvalidArgument,
                      "a collection's name has 1 to 64 of the characters A-Z a-z 0-9 _ -")
                    .with_param("collection"));
}

async::Task<Result<service::UploadOutcome>> receive(Context& context, Call call) {
    http::Request& request = call.request;
    HEDDLE_CO_TRY(const std::string boundary,
                  http::multipart_boundary(request.header("content-type")));
    UploadForm form;
    http::MultipartParser parser(boundary, form);
    std::unique_ptr<service::Upload> upload;
    for (;;) {
        HEDDLE_CO_TRY(const std::string_view bytes, co_await request.body().next());
        if (bytes.empty()) break;
        HEDDLE_CO_TRY_VOID(parser.feed(bytes));
        if (form.has_file() && !upload) {
            HEDDLE_CO_TRY(std::string collection, collection_of(request, form));
            service::UploadRequest file;
            file.owner = call.identity.owner;
            file.collection = std::move(collection);
            file.name = form.file().file_name;
            file.content_type = form.file().content_type;
            HEDDLE_CO_TRY(upload, co_await context.services.documents->upload(std::move(file)));
        }
        std::string pending = form.take_pending();
        if (!pending.empty()) HEDDLE_CO_TRY_VOID(co_await upload->write(std::move(pending)));
    }
    HEDDLE_CO_TRY_VOID(parser.finish());
    if (!upload) {
        co_return field_error("file", "Field required", "missing");
    }
    co_return co_await upload->finish();
}

async::Task<http::Response> upload(Context& context, Call call) {
    if (!context.services.documents) {
        co_return error_response(call.request,
                                 Error(ErrorCode::kUnavailable, "this server keeps no documents"));
    }
    const auto outcome = co_await receive(context, call);
    if (!outcome) co_return error_response(call.request, outcome.error());
    const service::DocumentInfo& document = outcome->document;
    nlohmann::json body = {{"filename", document.name},
                           {"message", "File uploaded successfully"},
                           {"id", document.id},
                           {"state", service::to_string(document.state)}};
    if (outcome->existing) body["existing"] = true;
    http::Response response = http::Response::json(202, to_text(body));
    response.headers.set("Location", "/documents/" + document.id);
    co_return response;
}

}  // namespace

Endpoint upload_endpoint() {
    return {.method = http::Method::kPost,
            .pattern = "/upload",
            .run = upload,
            .summary = "Store a document; it is read, embedded and indexed in the background",
            .tag = "documents",
            .request_schema = R"({"type": "object", "required": ["file"], "properties": {
                "file": {"type": "string", "format": "binary"},
                "collection": {"type": "string", "default": "knowledgebase"}}})",
            .request_type = "multipart/form-data",
            .success_status = 202,
            .query = {{"collection", "string", "Where the document goes"}},
            .is_upload = true};
}

}  // namespace heddle::api
