// The files in a ZIP archive, after PKWARE's APPNOTE 6.3.10: the central directory is believed,
// entries are stored or deflated. No ZIP64, no encryption, no archives in parts: no office file or
// book needs them. Whatever the bytes say, memory and work stay within the limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <tl/expected.hpp>

#include "ingest/sandbox/records.h"

namespace heddle::ingest::package {

struct ZipLimits {
    std::size_t entries = 20'000;
    std::uint64_t entry_bytes = 64ULL << 20;  // unpacked
    std::uint64_t total_bytes = 256ULL << 20;
    // Unpacked to packed, of an entry larger than 1 MiB.
    std::uint64_t ratio = 400;
};

// A view: the archive's bytes must outlive it. One thread.
class ZipArchive {
public:
    // kDamaged, kEncrypted or kTooComplex.
    static tl::expected<ZipArchive, sandbox::Failure> open(std::string_view bytes,
                                                           ZipLimits limits = {});

    [[nodiscard]] bool contains(std::string_view name) const;
    // The unpacked file, its checksum compared. kDamaged for one that is not there; kUnpacksTooFar
    // past a limit, of which all files read together share `total_bytes`.
    [[nodiscard]] tl::expected<std::string, sandbox::Failure> read(std::string_view name);

private:
    struct Entry {
        std::uint16_t method = 0;
        std::uint32_t checksum = 0;
        std::uint32_t packed = 0;
        std::uint32_t unpacked = 0;
        std::uint32_t offset = 0;  // of its local header
    };
    struct Directory {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t entries = 0;
    };

    ZipArchive(std::string_view bytes, ZipLimits limits) : bytes_(bytes), limits_(limits) {}
    [[nodiscard]] std::optional<Directory> find_directory() const;
    [[nodiscard]] tl::expected<void, sandbox::Failure> read_directory(const Directory& directory);
    [[nodiscard]] std::optional<std::string_view> packed_bytes(const Entry& entry) const;

    std::string_view bytes_;
    ZipLimits limits_;
    std::unordered_map<std::string_view, Entry> entries_;
    std::uint64_t total_ = 0;
};

}  // namespace heddle::ingest::package
