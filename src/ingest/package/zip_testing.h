// Archives for tests, written by hand so that they can lie.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace heddle::ingest::package {

struct ZipFile {
    std::string name;
    std::string text;
    bool deflated = true;
    // What the directory claims in place of the truth.
    std::int64_t claimed_bytes = -1;
    std::uint16_t flags = 0;
};

class ZipBuilder {
public:
    static std::string build(const std::vector<ZipFile>& files) {
        ZipBuilder builder;
        for (const ZipFile& file : files) builder.add(file);
        return builder.finish();
    }

private:
    void add(const ZipFile& file) {
        const std::string packed = file.deflated ? deflated(file.text) : file.text;
        const auto unpacked = static_cast<std::uint32_t>(
            file.claimed_bytes < 0 ? static_cast<std::int64_t>(file.text.size())
                                   : file.claimed_bytes);
        const auto checksum = static_cast<std::uint32_t>(
            crc32_z(0, reinterpret_cast<const Bytef*>(file.text.data()), file.text.size()));
        std::string shared;
        put(shared, 20, 2);
        put(shared, file.flags, 2);
        put(shared, file.deflated ? 8 : 0, 2);
        put(shared, 0, 4);
        put(shared, checksum, 4);
        put(shared, static_cast<std::uint32_t>(packed.size()), 4);
        put(shared, unpacked, 4);
        put(shared, static_cast<std::uint32_t>(file.name.size()), 2);
        put(shared, 0, 2);
        put(directory_, 0x02014b50, 4);
        put(directory_, 20, 2);
        directory_ += shared;
        put(directory_, 0, 2);
        put(directory_, 0, 4);
        put(directory_, 0, 4);
        put(directory_, static_cast<std::uint32_t>(out_.size()), 4);
        directory_ += file.name;
        put(out_, 0x04034b50, 4);
        out_ += shared + file.name + packed;
        ++count_;
    }

    std::string finish() {
        const auto begin = static_cast<std::uint32_t>(out_.size());
        out_ += directory_;
        put(out_, 0x06054b50, 4);
        put(out_, 0, 4);
        put(out_, count_, 2);
        put(out_, count_, 2);
        put(out_, static_cast<std::uint32_t>(directory_.size()), 4);
        put(out_, begin, 4);
        put(out_, 0, 2);
        return out_;
    }

    static void put(std::string& out, std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
    }

    static std::string deflated(const std::string& text) {
        z_stream stream{};
        deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
        std::string out(deflateBound(&stream, text.size()), '\0');
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        stream.avail_in = static_cast<uInt>(text.size());
        stream.next_out = reinterpret_cast<Bytef*>(out.data());
        stream.avail_out = static_cast<uInt>(out.size());
        deflate(&stream, Z_FINISH);
        out.resize(stream.total_out);
        deflateEnd(&stream);
        return out;
    }

    std::string out_;
    std::string directory_;
    std::uint32_t count_ = 0;
};

}  // namespace heddle::ingest::package
