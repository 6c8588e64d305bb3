#include "api/client_files.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

#include <brotli/decode.h>
#include <openssl/sha.h>
#include <zlib.h>

namespace heddle::api {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{8} << 20;

constexpr std::pair<std::string_view, std::string_view> kContentTypes[] = {
    {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},   {".svg", "image/svg+xml"},
    {".pdf", "application/pdf"},           {".png", "image/png"},
    {".txt", "text/plain; charset=utf-8"}, {".webmanifest", "application/manifest+json"},
    {".json", "application/json"},
};

std::string_view content_type_of(std::string_view path) {
    for (const auto& [ending, type] : kContentTypes) {
        if (path.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

Result<std::string> decompress(std::string_view brotli) {
    BrotliDecoderState* const state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    if (state == nullptr) return fail(ErrorCode::kInternal, "out of memory");
    std::string plain;
    std::array<std::uint8_t, 64 << 10> piece;
    const auto* in = reinterpret_cast<const std::uint8_t*>(brotli.data());
    std::size_t in_left = brotli.size();
    BrotliDecoderResult status = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (status == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && plain.size() <= kFileBytesMax) {
        std::uint8_t* out = piece.data();
        std::size_t out_left = piece.size();
        status = BrotliDecoderDecompressStream(state, &in_left, &in, &out_left, &out, nullptr);
        plain.append(reinterpret_cast<const char*>(piece.data()), piece.size() - out_left);
    }
    BrotliDecoderDestroyInstance(state);
    if (status == BROTLI_DECODER_RESULT_SUCCESS) return plain;
    return fail(ErrorCode::kCorrupt, "a file of the web client is damaged");
}

Result<std::string> gzip(const std::string& plain) {
    z_stream stream{};
    constexpr int kGzipWindow = 15 + 16;
    if (deflateInit2(&stream, 6, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return fail(ErrorCode::kInternal, "out of memory");
    }
    std::string packed(deflateBound(&stream, plain.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    const int status = deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    if (status == Z_STREAM_END) return packed;
    return fail(ErrorCode::kInternal, "a file of the web client cannot be compressed");
}

std::string digest_of(const std::string& content) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), hash.data());
    std::string hex;
    for (std::size_t i = 0; i < 16; ++i) hex += fmt::format("{:02x}", hash[i]);
    return hex;
}

// One entry of Accept-Encoding; false for "name;q=0".
bool is_wanted(std::string_view entry) {
    const std::size_t at = entry.find("q=");
    if (at == std::string_view::npos) return true;
    const std::string_view weight = entry.substr(at + 2);
    return weight.find_first_not_of("0. \t") != std::string_view::npos;
}

std::string_view name_of(std::string_view entry) {
    const std::size_t begin = entry.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return entry.substr(begin, entry.find_first_of("; \t", begin) - begin);
}

async::Task<http::Response> respond(std::shared_ptr<const ClientFile> file,
                                    http::Request& request) {
    co_return file->respond(request);
}

}  // namespace

const std::string_view kClientPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

std::string_view choose_coding(std::string_view accept_encoding) {
    bool takes_gzip = false;
    while (!accept_encoding.empty()) {
        const std::size_t comma = accept_encoding.find(',');
        const std::string_view entry = accept_encoding.substr(0, comma);
        const std::string_view name = name_of(entry);
        if (is_wanted(entry) && http::equals_ignoring_case(name, "br")) return "br";
        takes_gzip |= is_wanted(entry) && http::equals_ignoring_case(name, "gzip");
        if (comma == std::string_view::npos) break;
        accept_encoding.remove_prefix(comma + 1);
    }
    return takes_gzip ? "gzip" : "";
}

Result<ClientFile> ClientFile::make(const EmbeddedFile& file) {
    ClientFile made;
    made.path_ = file.path;
    made.brotli_ = file.brotli;
    HEDDLE_TRY(made.plain_, decompress(file.brotli));
    HEDDLE_TRY(made.gzip_, gzip(made.plain_));
    made.etag_ = digest_of(made.plain_);
    return made;
}

http::Response ClientFile::respond(const http::Request& request) const {
    const std::string_view coding = choose_coding(request.header("accept-encoding"));
    std::string body = plain_;
    if (coding == "br") body = brotli_;
    if (coding == "gzip") body = gzip_;
    // Each coding is a representation of its own, with a tag of its own.
    const std::string etag = coding.empty() ? etag_ : etag_ + "-" + std::string(coding);
    http::Response response =
        http::Response::cached(request, std::string(content_type_of(path_)), std::move(body), etag);
    if (!coding.empty() && response.status == 200) {
        response.headers.set("Content-Encoding", std::string(coding));
    }
    response.headers.set("Vary", "Accept-Encoding");
    response.headers.set("Cache-Control", path_.starts_with("assets/")
                                              ? "public, max-age=31536000, immutable"
                                              : "no-cache");
    response.headers.set("Content-Security-Policy", std::string(kClientPolicy));
    return response;
}

Result<> serve_client(Api& api, const std::vector<EmbeddedFile>& files) {
    for (const EmbeddedFile& embedded : files) {
        HEDDLE_TRY(ClientFile made, ClientFile::make(embedded));
        const auto file = std::make_shared<const ClientFile>(std::move(made));
        const std::string path = file->path() == "index.html" ? "/" : "/" + file->path();
        const auto handler = [file](http::Request& request) { return respond(file, request); };
        api.add_open_route({http::Method::kGet, path, handler});
    }
    return {};
}

}  // namespace heddle::api
