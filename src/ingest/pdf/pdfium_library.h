// PDFium, opened at run time: a table of the functions that we call, declared here by hand after
// public/fpdfview.h, fpdf_text.h, fpdf_doc.h, fpdf_edit.h, fpdf_annot.h and fpdf_flatten.h of
// PDFium 159.0 (BSD-3-Clause). One thread; PDFium is not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace heddle::ingest::pdf {

struct FpdfDocument;
struct FpdfPage;
struct FpdfTextPage;
struct FpdfObject;
struct FpdfBookmark;
struct FpdfDestination;
struct FpdfAnnotation;
struct FpdfBitmap;

struct FpdfRect {
    float left, top, right, bottom;
};
struct FpdfMatrix {
    float a, b, c, d, e, f;
};

enum FpdfObjectType { kFpdfText = 1, kFpdfPath, kFpdfImage, kFpdfShading, kFpdfForm };
enum FpdfError { kFpdfErrorFile = 2, kFpdfErrorFormat, kFpdfErrorPassword, kFpdfErrorSecurity };
enum FpdfAnnotationType { kFpdfFreeText = 3, kFpdfWidget = 20 };

struct PdfiumLibrary {
    void (*init_library)();
    FpdfDocument* (*load_document)(const void* data, std::size_t bytes, const char* password);
    unsigned long (*last_error)();
    void (*close_document)(FpdfDocument*);
    int (*page_count)(FpdfDocument*);
    // UTF-16LE with its terminator; returns the bytes needed.
    unsigned long (*meta_text)(FpdfDocument*, const char* tag, void* buffer, unsigned long bytes);

    FpdfPage* (*load_page)(FpdfDocument*, int index);
    void (*close_page)(FpdfPage*);
    float (*page_width)(FpdfPage*);
    float (*page_height)(FpdfPage*);
    int (*page_bounding_box)(FpdfPage*, FpdfRect*);
    int (*page_rotation)(FpdfPage*);  // quarter turns clockwise
    int (*page_object_count)(FpdfPage*);
    FpdfObject* (*page_object)(FpdfPage*, int index);
    int (*flatten_page)(FpdfPage*, int usage);

    int (*form_type)(FpdfDocument*);  // 0 without form fields
    int (*annotation_count)(FpdfPage*);
    FpdfAnnotation* (*annotation)(FpdfPage*, int index);
    int (*annotation_type)(FpdfAnnotation*);
    void (*close_annotation)(FpdfAnnotation*);

    int (*object_type)(FpdfObject*);
    int (*object_bounds)(FpdfObject*, float* left, float* bottom, float* right, float* top);
    int (*object_fill)(FpdfObject*, unsigned* r, unsigned* g, unsigned* b, unsigned* a);
    int (*path_draw_mode)(FpdfObject*, int* fill, int* stroke);
    int (*text_render_mode)(FpdfObject*);

    FpdfTextPage* (*load_text)(FpdfPage*);
    void (*close_text)(FpdfTextPage*);
    int (*text_count)(FpdfTextPage*);
    // UTF-16, terminated; room for count + 1.
    int (*text_get)(FpdfTextPage*, int start, int count, char16_t* out);
    unsigned (*text_unicode)(FpdfTextPage*, int index);
    double (*text_font_size)(FpdfTextPage*, int index);
    // The font's name with its terminator; returns the bytes needed.
    unsigned long (*text_font_name)(FpdfTextPage*, int index, void* buffer, unsigned long bytes,
                                    int* flags);
    int (*text_box)(FpdfTextPage*, int index, double* left, double* right, double* bottom,
                    double* top);
    int (*text_origin)(FpdfTextPage*, int index, double* x, double* y);
    int (*text_matrix)(FpdfTextPage*, int index, FpdfMatrix*);
    FpdfObject* (*text_object)(FpdfTextPage*, int index);

    FpdfBookmark* (*first_child)(FpdfDocument*, FpdfBookmark* parent);
    FpdfBookmark* (*next_sibling)(FpdfDocument*, FpdfBookmark*);
    unsigned long (*bookmark_title)(FpdfBookmark*, void* buffer, unsigned long bytes);
    FpdfDestination* (*bookmark_destination)(FpdfDocument*, FpdfBookmark*);
    int (*destination_page)(FpdfDocument*, FpdfDestination*);

    // Four bytes a pixel; PDFium's own memory when `first_scan` is null.
    FpdfBitmap* (*create_bitmap)(int width, int height, int format, void* first_scan, int stride);
    void (*fill_bitmap)(FpdfBitmap*, int left, int top, int width, int height, unsigned long color);
    void (*render_page)(FpdfBitmap*, FpdfPage*, int x, int y, int width, int height, int rotation,
                        int flags);
    void* (*bitmap_buffer)(FpdfBitmap*);
    int (*bitmap_stride)(FpdfBitmap*);
    void (*destroy_bitmap)(FpdfBitmap*);
};

// Null when the library cannot be opened or lacks a function. Never closed: it lives as long as
// the parser process.
[[nodiscard]] std::unique_ptr<const PdfiumLibrary> open_pdfium(const std::string& path);

}  // namespace heddle::ingest::pdf
