// The job that makes a document searchable: read, chunk, embed, and become visible in one step.
// Repeating it changes nothing but the time it takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/document_library.h"

namespace heddle::service {

class IngestHandler final : public jobs::JobHandler {
public:
    IngestHandler(DocumentParts parts, DocumentConfig config,
                  std::shared_ptr<DocumentActivity> activity)
        : parts_(std::move(parts)), config_(std::move(config)), activity_(std::move(activity)) {}

    async::Task<Result<std::string>> run(jobs::JobContext& context) override;

private:
    struct Work;

    async::Task<Result<>> ingest(Work& work);
    async::Task<Result<>> extract(Work& work);
    async::Task<Result<>> embed(Work& work);
    async::Task<Result<>> publish(Work& work);
    async::Task<Result<ingest::ParsedDocument>> parse(Work& work);
    async::Task<Result<>> store_failure(Work& work, const Error& error);
    Result<> become_ready(storage::Transaction& tx, Work& work);
    void show(Work& work, std::string_view stage, Progress progress);

    const DocumentParts parts_;
    const DocumentConfig config_;
    const std::shared_ptr<DocumentActivity> activity_;
};

}  // namespace heddle::service
