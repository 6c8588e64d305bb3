// SHA-256 of a stream of bytes (FIPS 180-4, by OpenSSL).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace heddle::storage {

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::span<const std::byte> bytes);
    // 64 hexadecimal digits, lower case. Ends the use of this object.
    [[nodiscard]] std::string hex();

    // Of bytes at hand.
    [[nodiscard]] static std::string hex_of(std::span<const std::byte> bytes);

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace heddle::storage
