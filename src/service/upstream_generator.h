// A model server elsewhere as a generator.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "service/generator.h"
#include "upstream/openai_client.h"

namespace heddle::service {

// Thread-safe.
class UpstreamGenerator final : public Generator {
public:
    // `preferred` is put first among the server's models; may be empty.
    UpstreamGenerator(std::shared_ptr<upstream::OpenAiClient> client, std::string preferred);

    // Asks the server for its models; keeps the old list when it cannot be reached. Called at
    // start and every minute.
    async::Task<Result<>> refresh();

    // Until the first refresh has succeeded: the preferred model alone, or none.
    [[nodiscard]] std::vector<ModelInfo> models() const override;
    async::Task<Result<Completion>> generate(GenerateRequest request,
                                             std::shared_ptr<TextStream> out) override;
    // Estimated from above: three bytes a token, one for each byte outside ASCII's letters.
    [[nodiscard]] std::uint32_t count_tokens(const std::string& model,
                                             std::string_view text) const override;

private:
    std::shared_ptr<upstream::OpenAiClient> client_;
    const std::string preferred_;
    mutable std::mutex mutex_;
    std::vector<ModelInfo> models_;  // guarded by mutex_
};

}  // namespace heddle::service
