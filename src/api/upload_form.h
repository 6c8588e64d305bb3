// Files of a multipart/form-data request, written on as they arrive.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "api/document_json.h"
#include "api/endpoint.h"

namespace heddle::api {

struct ReceivedFile {
    std::string name;  // as the client sent it
    Result<service::UploadOutcome> outcome;
};

// Takes the parts named "file", `files_max` of them at most, into `?collection=` or the form field
// `collection` that stands before the first. Nothing is stored of a request that is cut off or
// malformed; a file that is refused ends the request when it is the only one allowed, and is
// reported beside the others else.
async::Task<Result<std::vector<ReceivedFile>>> receive_files(Context& context, Call call,
                                                             std::size_t files_max);

// {"filename", "message", "id", "state", "existing"?}
[[nodiscard]] nlohmann::json accepted_json(const service::UploadOutcome& outcome);

}  // namespace heddle::api
