#include "ingest/pdf/pdfium_library.h"

#include <dlfcn.h>

namespace heddle::ingest::pdf {
namespace {

class Symbols {
public:
    explicit Symbols(void* library) : library_(library) {}

    template <class Function>
    Symbols& take(Function*& out, const char* name) {
        out = reinterpret_cast<Function*>(dlsym(library_, name));
        complete_ &= out != nullptr;
        return *this;
    }
    [[nodiscard]] bool complete() const { return complete_; }

private:
    void* library_;
    bool complete_ = true;
};

void take_document_functions(Symbols& symbols, PdfiumLibrary& library) {
    symbols.take(library.init_library, "FPDF_InitLibrary")
        .take(library.load_document, "FPDF_LoadMemDocument64")
        .take(library.last_error, "FPDF_GetLastError")
        .take(library.close_document, "FPDF_CloseDocument")
        .take(library.page_count, "FPDF_GetPageCount")
        .take(library.meta_text, "FPDF_GetMetaText")
        .take(library.first_child, "FPDFBookmark_GetFirstChild")
        .take(library.next_sibling, "FPDFBookmark_GetNextSibling")
        .take(library.bookmark_title, "FPDFBookmark_GetTitle")
        .take(library.bookmark_destination, "FPDFBookmark_GetDest")
        .take(library.destination_page, "FPDFDest_GetDestPageIndex");
}

void take_page_functions(Symbols& symbols, PdfiumLibrary& library) {
    symbols.take(library.load_page, "FPDF_LoadPage")
        .take(library.close_page, "FPDF_ClosePage")
        .take(library.page_width, "FPDF_GetPageWidthF")
        .take(library.page_height, "FPDF_GetPageHeightF")
        .take(library.page_bounding_box, "FPDF_GetPageBoundingBox")
        .take(library.page_rotation, "FPDFPage_GetRotation")
        .take(library.page_object_count, "FPDFPage_CountObjects")
        .take(library.page_object, "FPDFPage_GetObject")
        .take(library.flatten_page, "FPDFPage_Flatten")
        .take(library.form_type, "FPDF_GetFormType")
        .take(library.annotation_count, "FPDFPage_GetAnnotCount")
        .take(library.annotation, "FPDFPage_GetAnnot")
        .take(library.annotation_type, "FPDFAnnot_GetSubtype")
        .take(library.close_annotation, "FPDFPage_CloseAnnot")
        .take(library.object_type, "FPDFPageObj_GetType")
        .take(library.object_bounds, "FPDFPageObj_GetBounds")
        .take(library.object_fill, "FPDFPageObj_GetFillColor")
        .take(library.path_draw_mode, "FPDFPath_GetDrawMode")
        .take(library.text_render_mode, "FPDFTextObj_GetTextRenderMode");
}

void take_text_functions(Symbols& symbols, PdfiumLibrary& library) {
    symbols.take(library.load_text, "FPDFText_LoadPage")
        .take(library.close_text, "FPDFText_ClosePage")
        .take(library.text_count, "FPDFText_CountChars")
        .take(library.text_get, "FPDFText_GetText")
        .take(library.text_unicode, "FPDFText_GetUnicode")
        .take(library.text_font_size, "FPDFText_GetFontSize")
        .take(library.text_font_name, "FPDFText_GetFontInfo")
        .take(library.text_box, "FPDFText_GetCharBox")
        .take(library.text_origin, "FPDFText_GetCharOrigin")
        .take(library.text_matrix, "FPDFText_GetMatrix")
        .take(library.text_object, "FPDFText_GetTextObject");
}

void take_painting_functions(Symbols& symbols, PdfiumLibrary& library) {
    symbols.take(library.create_bitmap, "FPDFBitmap_CreateEx")
        .take(library.fill_bitmap, "FPDFBitmap_FillRect")
        .take(library.render_page, "FPDF_RenderPageBitmap")
        .take(library.bitmap_buffer, "FPDFBitmap_GetBuffer")
        .take(library.bitmap_stride, "FPDFBitmap_GetStride")
        .take(library.destroy_bitmap, "FPDFBitmap_Destroy");
}

}  // namespace

std::unique_ptr<const PdfiumLibrary> open_pdfium(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return nullptr;
    auto library = std::make_unique<PdfiumLibrary>();
    Symbols symbols(handle);
    take_document_functions(symbols, *library);
    take_page_functions(symbols, *library);
    take_text_functions(symbols, *library);
    take_painting_functions(symbols, *library);
    if (!symbols.complete()) return nullptr;
    library->init_library();
    return library;
}

}  // namespace heddle::ingest::pdf
