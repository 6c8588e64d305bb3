// The wire from the process that paints a page to the server, which must not believe it:
//   u32 walls, u8 Failure (0: none), u32 width, u32 height, f32 width of the page in points,
//   then width × height × 3 bytes and nothing more. Numbers little-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/result.h"
#include "ingest/picture.h"
#include "ingest/sandbox/records.h"

namespace heddle::ingest::sandbox {

// In the painting process; a failed write ends it.
void write_picture(int descriptor, std::uint32_t walls,
                   const tl::expected<Picture, Failure>& picture);

// Server side. One thread.
class PictureReader {
public:
    PictureReader(const ParseLimits& limits, std::uint32_t pixels_max)
        : limits_(limits), pixels_max_(pixels_max) {}

    // kCorrupt for anything that a sound process would not send, or its failure.
    [[nodiscard]] Result<> feed(std::string_view bytes);
    [[nodiscard]] bool finished() const { return finished_; }
    [[nodiscard]] Picture take() { return std::move(picture_); }

private:
    [[nodiscard]] Result<> read_header();

    const ParseLimits limits_;
    const std::uint32_t pixels_max_;
    std::string pending_;
    Picture picture_;
    std::size_t wanted_ = 0;
    bool has_header_ = false;
    bool finished_ = false;
};

}  // namespace heddle::ingest::sandbox
