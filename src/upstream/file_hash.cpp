#include "upstream/file_hash.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "base/check.h"

namespace heddle::upstream {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

Result<std::string> hash(const EVP_MD* algorithm, std::string_view prefix,
                         const storage::File& file, const HashProgress& progress) {
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    bool sound = context && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1 &&
                 EVP_DigestUpdate(context.get(), prefix.data(), prefix.size()) == 1;
    std::vector<std::byte> piece(kPieceBytes);
    for (std::uint64_t at = 0; sound;) {
        HEDDLE_TRY(const std::size_t bytes, file.read_at(at, piece));
        if (bytes == 0) break;
        sound = EVP_DigestUpdate(context.get(), piece.data(), bytes) == 1;
        at += bytes;
        if (progress && !progress(bytes)) return fail(ErrorCode::kCancelled, "cancelled");
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    sound = sound && EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1;
    HEDDLE_CHECK(sound, "OpenSSL hashes bytes of our own memory");
    std::string hex;
    for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

}  // namespace

Result<std::string> sha256_of(const storage::File& file, const HashProgress& progress) {
    return hash(EVP_sha256(), {}, file, progress);
}

Result<std::string> git_sha1_of(const storage::File& file, const HashProgress& progress) {
    HEDDLE_TRY(const std::uint64_t bytes, file.size());
    std::string prefix = fmt::format("blob {}", bytes);
    prefix += '\0';
    return hash(EVP_sha1(), prefix, file, progress);
}

}  // namespace heddle::upstream
