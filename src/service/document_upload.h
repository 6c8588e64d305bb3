// One upload on its way to the disk.
#pragma once

#include <optional>
#include <string>

#include "ingest/formats.h"
#include "service/document_library.h"

namespace heddle::service {

class DocumentUpload final : public Upload {
public:
    DocumentUpload(DocumentLibrary& library, UploadRequest request, const ingest::Format& format,
                   storage::BlobWriter writer)
        : library_(library),
          request_(std::move(request)),
          format_(format),
          writer_(std::move(writer)) {}

    async::Task<Result<>> write(std::string bytes) override;
    async::Task<Result<UploadOutcome>> finish() override;

private:
    // What the database makes of the file.
    struct Decision {
        DocumentRow row;
        bool existing = false;
        bool blob_used = false;
        std::vector<std::string> dead_blobs;
    };

    [[nodiscard]] Result<> check_head();
    Result<Decision> decide(storage::Transaction& tx, const storage::BlobInfo& blob);
    Result<Decision> add(storage::Transaction& tx, const storage::BlobInfo& blob);
    Result<Decision> take_existing(storage::Transaction& tx, DocumentRow row);

    DocumentLibrary& library_;
    const UploadRequest request_;
    const ingest::Format& format_;
    storage::BlobWriter writer_;
    std::string head_;  // the first bytes, until they have been looked at
    bool head_checked_ = false;
};

// The message of the chapter for a file of another type than those accepted.
[[nodiscard]] Error wrong_type(const std::vector<std::string>& formats);

}  // namespace heddle::service
