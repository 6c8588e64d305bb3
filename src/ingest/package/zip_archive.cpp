#include "ingest/package/zip_archive.h"

#include <algorithm>
#include <memory>

#include <zlib.h>

namespace heddle::ingest::package {
namespace {

using sandbox::Failure;

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kDirectoryEnd = 0x06054b50;
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kDirectoryEntryBytes = 46;
constexpr std::size_t kDirectoryEndBytes = 22;
constexpr std::size_t kCommentBytesMax = 65'535;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kEncryptedFlag = 1;
constexpr std::uint64_t kRatioFreeBytes = 1ULL << 20;
constexpr std::size_t kStepBytes = 256U << 10;

// Little-endian numbers; the caller has checked that they lie inside.
std::uint16_t u16(std::string_view bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[i]));
    };
    return static_cast<std::uint16_t>(byte(at) | (byte(at + 1) << 8));
}
std::uint32_t u32(std::string_view bytes, std::size_t at) {
    return u16(bytes, at) | (static_cast<std::uint32_t>(u16(bytes, at + 2)) << 16);
}

class Inflater {
public:
    explicit Inflater(std::string_view packed) {
        // Raw deflate: negative window bits.
        ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK;
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
        stream_.avail_in = static_cast<uInt>(packed.size());
    }
    ~Inflater() {
        if (ready_) inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    // Exactly `bytes` of text, or nothing.
    std::optional<std::string> run(std::size_t bytes) {
        if (!ready_) return std::nullopt;
        std::string out;
        int status = Z_OK;
        // What the header promises is only believed as far as the data bear it out.
        while (status == Z_OK && out.size() <= bytes) {
            const std::size_t before = out.size();
            const std::size_t room = std::min(kStepBytes, bytes + 1 - before);
            out.resize(before + room);
            stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
            stream_.avail_out = static_cast<uInt>(room);
            status = inflate(&stream_, Z_NO_FLUSH);
            const std::size_t written = room - stream_.avail_out;
            out.resize(before + written);
            if (status == Z_OK && written == 0) return std::nullopt;
        }
        if (status != Z_STREAM_END || out.size() != bytes) return std::nullopt;
        return out;
    }

private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

tl::expected<ZipArchive, Failure> ZipArchive::open(std::string_view bytes, ZipLimits limits) {
    ZipArchive archive(bytes, limits);
    const std::optional<Directory> directory = archive.find_directory();
    if (!directory) return tl::unexpected(Failure::kDamaged);
    if (directory->entries > limits.entries) return tl::unexpected(Failure::kTooComplex);
    if (const auto read = archive.read_directory(*directory); !read)
        return tl::unexpected(read.error());
    return archive;
}

// The last end record whose comment reaches the end of the file.
std::optional<ZipArchive::Directory> ZipArchive::find_directory() const {
    if (bytes_.size() < kDirectoryEndBytes) return std::nullopt;
    const std::size_t last = bytes_.size() - kDirectoryEndBytes;
    const std::size_t first = last - std::min(last, kCommentBytesMax);
    for (std::size_t at = last + 1; at-- > first;) {
        if (u32(bytes_, at) != kDirectoryEnd) continue;
        if (u16(bytes_, at + 20) != last - at) continue;
        const std::size_t begin = u32(bytes_, at + 16);
        const std::size_t length = u32(bytes_, at + 12);
        if (begin > at || length > at - begin) return std::nullopt;
        return Directory{begin, begin + length, u16(bytes_, at + 10)};
    }
    return std::nullopt;
}

tl::expected<void, Failure> ZipArchive::read_directory(const Directory& directory) {
    std::size_t at = directory.begin;
    for (std::size_t i = 0; i < directory.entries; ++i) {
        if (directory.end - at < kDirectoryEntryBytes || u32(bytes_, at) != kDirectoryEntry)
            return tl::unexpected(Failure::kDamaged);
        if ((u16(bytes_, at + 8) & kEncryptedFlag) != 0) return tl::unexpected(Failure::kEncrypted);
        const Entry entry{.method = u16(bytes_, at + 10),
                          .checksum = u32(bytes_, at + 16),
                          .packed = u32(bytes_, at + 20),
                          .unpacked = u32(bytes_, at + 24),
                          .offset = u32(bytes_, at + 42)};
        const std::size_t name_bytes = u16(bytes_, at + 28);
        const std::size_t whole =
            kDirectoryEntryBytes + name_bytes + u16(bytes_, at + 30) + u16(bytes_, at + 32);
        if (whole > directory.end - at) return tl::unexpected(Failure::kDamaged);
        // Of two entries with one name the first counts, for everybody who asks.
        entries_.try_emplace(bytes_.substr(at + kDirectoryEntryBytes, name_bytes), entry);
        at += whole;
    }
    return {};
}

bool ZipArchive::contains(std::string_view name) const {
    return entries_.contains(name);
}

std::optional<std::string_view> ZipArchive::packed_bytes(const Entry& entry) const {
    const std::size_t at = entry.offset;
    if (at > bytes_.size() || bytes_.size() - at < kLocalHeaderBytes ||
        u32(bytes_, at) != kLocalHeader)
        return std::nullopt;
    const std::size_t begin = at + kLocalHeaderBytes + u16(bytes_, at + 26) + u16(bytes_, at + 28);
    if (begin > bytes_.size() || entry.packed > bytes_.size() - begin) return std::nullopt;
    return bytes_.substr(begin, entry.packed);
}

tl::expected<std::string, Failure> ZipArchive::read(std::string_view name) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return tl::unexpected(Failure::kDamaged);
    const Entry& entry = found->second;
    const bool known =
        entry.method == kDeflated || (entry.method == kStored && entry.packed == entry.unpacked);
    const std::optional<std::string_view> packed = packed_bytes(entry);
    if (!known || !packed) return tl::unexpected(Failure::kDamaged);
    total_ += entry.unpacked;
    const bool bomb =
        entry.unpacked > kRatioFreeBytes && entry.unpacked / limits_.ratio > entry.packed;
    if (bomb || entry.unpacked > limits_.entry_bytes || total_ > limits_.total_bytes)
        return tl::unexpected(Failure::kUnpacksTooFar);
    std::optional<std::string> text =
        entry.method == kStored ? std::string(*packed) : Inflater(*packed).run(entry.unpacked);
    if (!text) return tl::unexpected(Failure::kDamaged);
    const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(text->data()), text->size());
    if (checksum != entry.checksum) return tl::unexpected(Failure::kDamaged);
    return std::move(*text);
}

}  // namespace heddle::ingest::package
