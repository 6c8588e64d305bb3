// The web client's files over HTTP: `/` and everything beside it, open to all (the page asks for a
// key itself). Each file is kept in three codings and chosen by Accept-Encoding; those under
// assets/ carry a hash in their name and are immutable to browsers, the others have an entity tag.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "api/embedded_client.h"

namespace heddle::api {

// What a browser may do on our page: run and show what comes from here, and nothing else. No
// inline script or style, no markup from strings, no request to another origin.
extern const std::string_view kClientPolicy;

// Immutable after construction.
class ClientFile {
public:
    // kCorrupt when the content cannot be decompressed.
    static Result<ClientFile> make(const EmbeddedFile& file);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] http::Response respond(const http::Request& request) const;

private:
    std::string path_;
    std::string_view brotli_;
    std::string gzip_;
    std::string plain_;
    std::string etag_;  // of the plain content
};

// The coding that the client likes best of those we have: "br", "gzip", or "" for none.
[[nodiscard]] std::string_view choose_coding(std::string_view accept_encoding);

// Adds the routes. Before the first request.
Result<> serve_client(Api& api, const std::vector<EmbeddedFile>& files);

}  // namespace heddle::api
