#include "ingest/pdf/page_picture.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <climits>

namespace heddle::ingest::pdf {
namespace {

using sandbox::Failure;

constexpr int kBgrx = 3;          // FPDFBitmap_BGRx
constexpr int kWithNotes = 0x01;  // FPDF_ANNOT
constexpr int kAsItStands = 0;    // not turned
constexpr unsigned long kWhite = 0xFFFFFFFF;

struct Size {
    int width = 0;
    int height = 0;
};

// The page's proportions at the wanted width, or as near to it as the limit allows.
Size fitting(float width, float height, PictureSize wanted) {
    double scale = wanted.width / static_cast<double>(width);
    const double pixels = scale * width * scale * height;
    if (pixels > wanted.pixels_max) scale *= std::sqrt(wanted.pixels_max / pixels);
    const auto whole = [scale](float side) {
        return std::max(1, static_cast<int>(std::floor(std::min(scale * side, 1e6))));
    };
    return {whole(width), whole(height)};
}

// BGRx rows with padding to RGB rows without.
std::string rgb_of(const PdfiumLibrary& pdfium, FpdfBitmap* bitmap, Size size) {
    const auto* row = static_cast<const char*>(pdfium.bitmap_buffer(bitmap));
    const auto stride = static_cast<std::size_t>(pdfium.bitmap_stride(bitmap));
    std::string rgb;
    rgb.reserve(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3);
    for (int y = 0; y < size.height; ++y, row += stride) {
        for (int x = 0; x < size.width; ++x) {
            const char* pixel = row + 4 * x;
            rgb += pixel[2];
            rgb += pixel[1];
            rgb += pixel[0];
        }
    }
    return rgb;
}

}  // namespace

tl::expected<Picture, Failure> paint_page(const PdfiumLibrary& pdfium, std::string_view file,
                                          std::uint32_t page, PictureSize wanted) {
    const std::unique_ptr<FpdfDocument, void (*)(FpdfDocument*)> document(
        pdfium.load_document(file.data(), file.size(), nullptr), pdfium.close_document);
    if (!document) return tl::unexpected(Failure::kDamaged);
    if (page == 0 || page > INT_MAX || static_cast<int>(page) > pdfium.page_count(document.get()))
        return tl::unexpected(Failure::kEmpty);
    const std::unique_ptr<FpdfPage, void (*)(FpdfPage*)> loaded(
        pdfium.load_page(document.get(), static_cast<int>(page) - 1), pdfium.close_page);
    if (!loaded) return tl::unexpected(Failure::kDamaged);
    const float width = pdfium.page_width(loaded.get());
    const float height = pdfium.page_height(loaded.get());
    const bool sound = std::isfinite(width) && std::isfinite(height) && width >= 1 && height >= 1;
    if (!sound) return tl::unexpected(Failure::kDamaged);
    const Size size = fitting(width, height, wanted);
    const std::uint64_t pixels =
        static_cast<std::uint64_t>(size.width) * static_cast<std::uint64_t>(size.height);
    if (pixels > wanted.pixels_max) return tl::unexpected(Failure::kTooComplex);
    const std::unique_ptr<FpdfBitmap, void (*)(FpdfBitmap*)> bitmap(
        pdfium.create_bitmap(size.width, size.height, kBgrx, nullptr, 0), pdfium.destroy_bitmap);
    if (!bitmap) return tl::unexpected(Failure::kOutOfMemory);
    pdfium.fill_bitmap(bitmap.get(), 0, 0, size.width, size.height, kWhite);
    pdfium.render_page(bitmap.get(), loaded.get(), 0, 0, size.width, size.height, kAsItStands,
                       kWithNotes);
    return Picture{.width = static_cast<std::uint32_t>(size.width),
                   .height = static_cast<std::uint32_t>(size.height),
                   .page_width = width,
                   .rgb = rgb_of(pdfium, bitmap.get(), size)};
}

}  // namespace heddle::ingest::pdf
