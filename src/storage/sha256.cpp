#include "storage/sha256.h"

#include <array>

#include <openssl/evp.h>

#include "base/check.h"

namespace heddle::storage {

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    HEDDLE_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                 "OpenSSL has SHA-256");
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
    HEDDLE_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1,
                 "hashing bytes of our own memory");
}

std::string Sha256::hex() {
    std::array<unsigned char, 32> digest{};
    unsigned length = 0;
    HEDDLE_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1 && length == 32,
                 "hashing bytes of our own memory");
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : digest) {
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

std::string Sha256::hex_of(std::span<const std::byte> bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

}  // namespace heddle::storage
