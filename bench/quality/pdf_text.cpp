// pdf_text (--bare LIBRARY | --sandbox LIBRARY PARSER) [--out DIR] FILE…
// Texts and speed of PDF files: by PDFium alone (every page's text in one call, in this process),
// or as the server reads them. With --out DIR each text is written to DIR/<n>.txt; a line of JSON
// for each file goes to standard output.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "async/runtime.h"
#include "ingest/parser.h"
#include "ingest/pdf/pdfium_library.h"
#include "text/utf8.h"

namespace heddle {
namespace {

struct Options {
    bool bare = false;
    std::string library;
    std::string parser;
    std::string out;
    std::vector<std::string> files;
};

struct Reading {
    std::string text;
    std::size_t pages = 0;
    double seconds = 0;
    std::string error;
};

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// What a program gets that does nothing but ask for each page's text.
Reading read_bare(const ingest::pdf::PdfiumLibrary& pdfium, const std::string& path) {
    Reading reading;
    const std::string bytes = contents(path);
    const auto start = std::chrono::steady_clock::now();
    ingest::pdf::FpdfDocument* document = pdfium.load_document(bytes.data(), bytes.size(), nullptr);
    if (document == nullptr) {
        reading.error = "not loaded";
        return reading;
    }
    reading.pages = static_cast<std::size_t>(pdfium.page_count(document));
    for (std::size_t i = 0; i < reading.pages; ++i) {
        ingest::pdf::FpdfPage* page = pdfium.load_page(document, static_cast<int>(i));
        if (page == nullptr) continue;
        ingest::pdf::FpdfTextPage* text = pdfium.load_text(page);
        const int count = pdfium.text_count(text);
        std::u16string units(static_cast<std::size_t>(count) + 1, u'\0');
        pdfium.text_get(text, 0, count, units.data());
        for (std::size_t k = 0; k < units.size() && units[k] != 0; ++k)
            text::append_utf8(reading.text, units[k] == 0xFFFE ? U'-' : units[k]);
        reading.text += '\n';
        pdfium.close_text(text);
        pdfium.close_page(page);
    }
    pdfium.close_document(document);
    reading.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return reading;
}

Reading read_sandboxed(async::Runtime& runtime, ingest::Parser& parser, const std::string& path) {
    Reading reading;
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto start = std::chrono::steady_clock::now();
    const auto document = runtime.run(parser.parse(file, "pdf"));
    reading.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    close(file);
    if (!document) {
        reading.error = document.error().reason();
        return reading;
    }
    reading.pages = document->pages.size();
    for (const ingest::Block& block : document->blocks) reading.text += block.text + "\n\n";
    return reading;
}

bool parse_options(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--bare" && i + 1 < argc) {
            options.bare = true;
            options.library = argv[++i];
        } else if (argument == "--sandbox" && i + 2 < argc) {
            options.library = argv[++i];
            options.parser = argv[++i];
        } else if (argument == "--out" && i + 1 < argc) {
            options.out = argv[++i];
        } else {
            options.files.emplace_back(argument);
        }
    }
    return !options.library.empty() && !options.files.empty();
}

int run(const Options& options) {
    async::Runtime runtime({.io_threads = 1, .worker_threads = 1});
    ingest::Parser parser({.executable = options.parser, .pdfium_library = options.library},
                          runtime.workers());
    const auto pdfium = options.bare ? ingest::pdf::open_pdfium(options.library) : nullptr;
    for (std::size_t i = 0; i < options.files.size(); ++i) {
        const std::string& file = options.files[i];
        const Reading reading =
            options.bare ? read_bare(*pdfium, file) : read_sandboxed(runtime, parser, file);
        fmt::print("{{\"file\": \"{}\", \"pages\": {}, \"seconds\": {:.6f}, \"error\": \"{}\"}}\n",
                   file, reading.pages, reading.seconds, reading.error);
        if (!options.out.empty())
            std::ofstream(fmt::format("{}/{}.txt", options.out, i)) << reading.text;
    }
    return 0;
}

}  // namespace
}  // namespace heddle

int main(int argc, char** argv) {
    heddle::Options options;
    if (!heddle::parse_options(argc, argv, options)) {
        fputs("usage: pdf_text (--bare LIBRARY | --sandbox LIBRARY PARSER) [--out DIR] FILE…\n",
              stderr);
        return 2;
    }
    return heddle::run(options);
}
