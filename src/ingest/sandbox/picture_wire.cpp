#include "ingest/sandbox/picture_wire.h"

#include <errno.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

namespace heddle::ingest::sandbox {
namespace {

constexpr float kPointsMax = 1e6F;
constexpr std::size_t kColors = 3;

struct [[gnu::packed]] Header {
    std::uint32_t walls = 0;
    std::uint8_t failure = 0;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    float page_width = 0;
};

void write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = write(descriptor, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(1);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

Error broken() {
    return Error(ErrorCode::kCorrupt, "the page could not be painted").with_reason("unreadable");
}

}  // namespace

void write_picture(int descriptor, std::uint32_t walls,
                   const tl::expected<Picture, Failure>& picture) {
    Header header{.walls = walls};
    if (picture) {
        header.width = picture->width;
        header.height = picture->height;
        header.page_width = picture->page_width;
    } else {
        header.failure = static_cast<std::uint8_t>(picture.error());
    }
    write_all(descriptor, {reinterpret_cast<const char*>(&header), sizeof header});
    if (picture) write_all(descriptor, picture->rgb);
}

Result<> PictureReader::feed(std::string_view bytes) {
    if (!has_header_) {
        pending_ += bytes;
        if (pending_.size() < sizeof(Header)) return {};
        HEDDLE_TRY_VOID(read_header());
    } else {
        picture_.rgb += bytes;
    }
    if (picture_.rgb.size() > wanted_) return fail(broken());
    finished_ = picture_.rgb.size() == wanted_;
    return {};
}

Result<> PictureReader::read_header() {
    Header header;
    std::memcpy(&header, pending_.data(), sizeof header);
    has_header_ = true;
    if (header.failure != 0) {
        const auto failure = static_cast<Failure>(header.failure);
        if (failure > Failure::kUnpacksTooFar) return fail(broken());
        return fail(failure_error(failure, limits_));
    }
    const std::uint64_t pixels = std::uint64_t{header.width} * header.height;
    const bool sound = pixels > 0 && pixels <= pixels_max_ && std::isfinite(header.page_width) &&
                       header.page_width > 0 && header.page_width <= kPointsMax;
    if (!sound) return fail(broken());
    picture_.width = header.width;
    picture_.height = header.height;
    picture_.page_width = header.page_width;
    wanted_ = pixels * kColors;
    picture_.rgb.reserve(wanted_);
    picture_.rgb = pending_.substr(sizeof header);
    return {};
}

}  // namespace heddle::ingest::sandbox
