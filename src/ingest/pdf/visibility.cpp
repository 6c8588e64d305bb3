#include "ingest/pdf/visibility.h"

#include <algorithm>

namespace heddle::ingest::pdf {
namespace {

constexpr int kRenderInvisible = 3;
constexpr int kRenderClip = 7;
constexpr unsigned kWhiteMin = 250;  // of 255
constexpr unsigned kOpacityMin = 8;  // of 255
constexpr int kObjectsMax = 100'000;

struct Fill {
    unsigned r = 0, g = 0, b = 0, a = 255;
    [[nodiscard]] bool white() const { return std::min({r, g, b}) >= kWhiteMin; }
};

}  // namespace

Visibility PageVisibility::of(FpdfObject* text) {
    const int mode = pdfium_.text_render_mode(text);
    if (mode == kRenderInvisible || mode == kRenderClip) return Visibility::kNoInk;
    Fill fill;
    if (pdfium_.object_fill(text, &fill.r, &fill.g, &fill.b, &fill.a) == 0)
        return Visibility::kVisible;
    const bool filled = mode == 0 || mode == 4;
    if (!filled) return Visibility::kVisible;
    if (fill.a < kOpacityMin) return Visibility::kNoInk;
    if (fill.white() && !has_backdrop(text)) return Visibility::kWhite;
    return Visibility::kVisible;
}

bool PageVisibility::has_backdrop(FpdfObject* text) {
    if (!backdrops_) collect_backdrops();
    FpdfRect box{};
    if (pdfium_.object_bounds(text, &box.left, &box.bottom, &box.right, &box.top) == 0) return true;
    const float x = (box.left + box.right) / 2;
    const float y = (box.bottom + box.top) / 2;
    return std::any_of(backdrops_->begin(), backdrops_->end(), [x, y](const FpdfRect& area) {
        return x >= area.left && x <= area.right && y >= area.bottom && y <= area.top;
    });
}

void PageVisibility::collect_backdrops() {
    backdrops_.emplace();
    const int count = std::min(pdfium_.page_object_count(page_), kObjectsMax);
    for (int i = 0; i < count; ++i) {
        FpdfObject* object = pdfium_.page_object(page_, i);
        const int type = pdfium_.object_type(object);
        if (type == kFpdfText) continue;
        if (type == kFpdfPath) {
            Fill fill;
            int mode = 0;
            int stroke = 0;
            const bool known = pdfium_.path_draw_mode(object, &mode, &stroke) != 0 &&
                               pdfium_.object_fill(object, &fill.r, &fill.g, &fill.b, &fill.a);
            if (known && (mode == 0 || fill.white() || fill.a < kOpacityMin)) continue;
        }
        FpdfRect box{};
        if (pdfium_.object_bounds(object, &box.left, &box.bottom, &box.right, &box.top) != 0)
            backdrops_->push_back(box);
    }
}

}  // namespace heddle::ingest::pdf
