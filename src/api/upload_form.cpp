#include "api/upload_form.h"

#include <memory>
#include <optional>
#include <utility>

#include "api/generate_text_request.h"
#include "api/json_body.h"
#include "http/multipart.h"

namespace heddle::api {
namespace {

constexpr std::size_t kFieldBytesMax = 1024;
constexpr std::size_t kFileNameBytesMax = 1024;

// Collects what one piece of the body yields. The parser calls it synchronously; the coroutine
// writes out afterwards what it has kept, so that at most one piece of the body is in memory.
class UploadForm final : public http::MultipartSink {
public:
    // A file begins, and the bytes of it that came with this piece of the body; without a header
    // the bytes go on where the last file was.
    struct Piece {
        std::optional<http::PartHeader> begins;
        std::string bytes;
    };

    explicit UploadForm(std::size_t files_max) : files_max_(files_max) {}

    Result<> begin_part(const http::PartHeader& header) override {
        in_file_ = header.name == "file";
        in_collection_ = header.name == "collection" && !header.is_file;
        if (!in_file_) return {};
        if (files_ == files_max_) {
            return fail(ErrorCode::kInvalidArgument,
                        files_max_ == 1 ? "only one file can be uploaded"
                                        : "more than " + std::to_string(files_max_) + " files");
        }
        if (!header.is_file) return fail(ErrorCode::kInvalidArgument, "`file` must be a file");
        if (header.file_name.size() > kFileNameBytesMax) {
            return fail(ErrorCode::kInvalidArgument, "the file name is too long");
        }
        ++files_;
        pieces_.push_back({header, {}});
        return {};
    }
    Result<> part_data(std::string_view bytes) override {
        if (in_file_) {
            if (pieces_.empty()) pieces_.emplace_back();
            pieces_.back().bytes += bytes;
        }
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

    [[nodiscard]] const std::string& collection() const { return collection_; }
    [[nodiscard]] std::vector<Piece> take_pieces() { return std::exchange(pieces_, {}); }

private:
    const std::size_t files_max_;
    std::size_t files_ = 0;
    bool in_file_ = false;
    bool in_collection_ = false;
    std::string collection_;
    std::vector<Piece> pieces_;
};

Result<std::string> collection_of(const http::Request& request, const UploadForm& form) {
    std::string name(request.query("collection").value_or(form.collection()));
    if (name.empty()) name = "knowledgebase";
    if (is_collection_name(name)) return name;
    return fail(Error(ErrorCode::kInvalidArgument,
                      "a collection's name has 1 to 64 of the characters A-Z a-z 0-9 _ -")
                    .with_param("collection"));
}

// The files of one request on their way into the store.
class Reception {
public:
    Reception(service::Documents& documents, std::string owner)
        : documents_(documents), owner_(std::move(owner)) {}

    async::Task<> begin(http::PartHeader header, std::string collection) {
        service::UploadRequest file{.owner = owner_,
                                    .collection = std::move(collection),
                                    .name = header.file_name,
                                    .content_type = header.content_type};
        auto upload = co_await documents_.upload(std::move(file));
        Entry entry{.name = std::move(header.file_name)};
        if (upload)
            entry.upload = std::move(*upload);
        else
            entry.error = std::move(upload).error();
        entries_.push_back(std::move(entry));
    }
    async::Task<> write(std::string bytes) {
        Entry& entry = entries_.back();
        if (!entry.upload || bytes.empty()) co_return;
        auto written = co_await entry.upload->write(std::move(bytes));
        if (written) co_return;
        entry.error = std::move(written).error();
        entry.upload.reset();
    }
    [[nodiscard]] const std::optional<Error>& last_error() const { return entries_.back().error; }

    async::Task<std::vector<ReceivedFile>> finish() {
        std::vector<ReceivedFile> files;
        for (Entry& entry : entries_) {
            Result<service::UploadOutcome> outcome = fail(ErrorCode::kInternal, "no outcome");
            if (entry.upload)
                outcome = co_await entry.upload->finish();
            else
                outcome = fail(*entry.error);
            files.push_back({std::move(entry.name), std::move(outcome)});
        }
        co_return files;
    }

private:
    struct Entry {
        std::string name;
        std::unique_ptr<service::Upload> upload;  // null after an error
        std::optional<Error> error;
    };
    service::Documents& documents_;
    const std::string owner_;
    std::vector<Entry> entries_;
};

}  // namespace

async::Task<Result<std::vector<ReceivedFile>>> receive_files(Context& context, Call call,
                                                             std::size_t files_max) {
    http::Request& request = call.request;
    HEDDLE_CO_TRY(const std::string boundary,
                  http::multipart_boundary(request.header("content-type")));
    UploadForm form(files_max);
    http::MultipartParser parser(boundary, form);
    Reception reception(*context.services.documents, call.identity.owner);
    for (;;) {
        HEDDLE_CO_TRY(const std::string_view bytes, co_await request.body().next());
        if (bytes.empty()) break;
        HEDDLE_CO_TRY_VOID(parser.feed(bytes));
        for (UploadForm::Piece& piece : form.take_pieces()) {
            if (piece.begins) {
                HEDDLE_CO_TRY(std::string collection, collection_of(request, form));
                co_await reception.begin(std::move(*piece.begins), std::move(collection));
            }
            co_await reception.write(std::move(piece.bytes));
            if (files_max == 1 && reception.last_error()) co_return fail(*reception.last_error());
        }
    }
    HEDDLE_CO_TRY_VOID(parser.finish());
    std::vector<ReceivedFile> files = co_await reception.finish();
    if (files.empty()) co_return field_error("file", "Field required", "missing");
    co_return files;
}

nlohmann::json accepted_json(const service::UploadOutcome& outcome) {
    const service::DocumentInfo& document = outcome.document;
    nlohmann::json json = {{"filename", document.name},
                           {"message", "File uploaded successfully"},
                           {"id", document.id},
                           {"state", service::to_string(document.state)}};
    if (outcome.existing) json["existing"] = true;
    return json;
}

}  // namespace heddle::api
