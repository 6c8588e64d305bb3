#include "ingest/picture.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <zlib.h>

#include "base/check.h"

namespace heddle::ingest {
namespace {

constexpr float kMargin = 1.5F;  // points around a line of text
constexpr std::size_t kColors = 3;
// Of 256: what the marker lets through of red, green and blue.
constexpr std::uint32_t kMarker[kColors] = {256, 232, 104};
constexpr std::uint8_t kGrey = 0;
constexpr std::uint8_t kTrueColor = 2;
constexpr std::uint8_t kFilterUp = 2;
// Pages are mostly paper: more effort makes them little smaller and much slower.
constexpr int kDeflateLevel = 4;

void put(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFF);
}

void put_chunk(std::string& out, std::string_view type, std::string_view data) {
    put(out, static_cast<std::uint32_t>(data.size()));
    const std::size_t begin = out.size();
    out += type;
    out += data;
    const auto checksum =
        crc32_z(0, reinterpret_cast<const Bytef*>(out.data() + begin), out.size() - begin);
    put(out, static_cast<std::uint32_t>(checksum));
}

bool is_grey(std::string_view rgb) {
    for (std::size_t i = 0; i + 2 < rgb.size(); i += kColors) {
        if (rgb[i] != rgb[i + 1] || rgb[i] != rgb[i + 2]) return false;
    }
    return true;
}

// Each row as its difference from the one above, which is nothing wherever lines or paper go on.
std::string filtered_rows(const Picture& picture, std::size_t colors) {
    const std::size_t row_bytes = picture.width * colors;
    std::string above(row_bytes, '\0');
    std::string row(row_bytes, '\0');
    std::string out;
    out.reserve((row_bytes + 1) * picture.height);
    for (std::size_t y = 0; y < picture.height; ++y) {
        const char* source = picture.rgb.data() + y * picture.width * kColors;
        for (std::size_t i = 0; i < row_bytes; ++i) row[i] = source[colors == 1 ? i * kColors : i];
        out += static_cast<char>(kFilterUp);
        for (std::size_t i = 0; i < row_bytes; ++i) out += static_cast<char>(row[i] - above[i]);
        above.swap(row);
    }
    return out;
}

std::string deflated(std::string_view bytes) {
    uLongf size = compressBound(bytes.size());
    std::string out(size, '\0');
    const int status =
        compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                  reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), kDeflateLevel);
    HEDDLE_CHECK(status == Z_OK, "the bound is large enough");
    out.resize(size);
    return out;
}

// A place on the page in pixels, inside the picture.
std::size_t pixel_of(float points, float scale, std::uint32_t end) {
    const float pixel = std::clamp(points * scale, 0.0F, static_cast<float>(end));
    return static_cast<std::size_t>(pixel);
}

}  // namespace

void mark_boxes(Picture& picture, std::span<const Box> boxes) {
    if (picture.page_width <= 0) return;
    const float scale = static_cast<float>(picture.width) / picture.page_width;
    // Where boxes overlap the marker has passed once.
    std::string marked(std::size_t{picture.width} * picture.height, '\0');
    for (const Box& box : boxes) {
        const std::size_t left = pixel_of(box.left - kMargin, scale, picture.width);
        const std::size_t right = pixel_of(box.right + kMargin, scale, picture.width);
        const std::size_t top = pixel_of(box.top - kMargin, scale, picture.height);
        const std::size_t bottom = pixel_of(box.bottom + kMargin, scale, picture.height);
        for (std::size_t y = top; y < bottom; ++y) {
            for (std::size_t x = left; x < right; ++x) {
                const std::size_t at = y * picture.width + x;
                if (std::exchange(marked[at], '\1') != '\0') continue;
                for (std::size_t color = 0; color < kColors; ++color) {
                    char& value = picture.rgb[at * kColors + color];
                    value = static_cast<char>(
                        (static_cast<unsigned char>(value) * kMarker[color]) >> 8);
                }
            }
        }
    }
}

std::string encode_png(const Picture& picture) {
    HEDDLE_CHECK(picture.rgb.size() == std::size_t{picture.width} * picture.height * kColors,
                 "three bytes a pixel");
    const bool grey = is_grey(picture.rgb);
    std::string header;
    put(header, picture.width);
    put(header, picture.height);
    header += '\x08';  // bits of a value
    header += static_cast<char>(grey ? kGrey : kTrueColor);
    header.append(3, '\0');  // deflate, the five filters, not interlaced
    std::string out("\x89PNG\r\n\x1A\n", 8);
    put_chunk(out, "IHDR", header);
    put_chunk(out, "IDAT", deflated(filtered_rows(picture, grey ? 1 : kColors)));
    put_chunk(out, "IEND", {});
    return out;
}

}  // namespace heddle::ingest
