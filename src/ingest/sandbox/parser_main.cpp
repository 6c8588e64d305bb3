#include "ingest/sandbox/parser_main.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <new>
#include <optional>

#include "ingest/ocr/recogniser_main.h"
#include "ingest/pdf/page_picture.h"
#include "ingest/sandbox/picture_wire.h"
#include "ingest/sandbox/walls.h"

namespace heddle::ingest {
namespace {

constexpr int kInput = 0;
constexpr int kOutput = 1;
constexpr std::string_view kParse = "--worker=parse";
constexpr std::string_view kPaint = "--worker=paint";
constexpr std::string_view kRecognise = "--worker=recognise";

struct Command {
    std::string format;      // of a document to be read
    std::uint32_t page = 0;  // of a page to be painted
    pdf::PictureSize picture;
    std::string program;  // that recognises text
    std::string languages;
    ReaderOptions options;
    bool require_sandbox = false;
};

template <class T>
bool read_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

std::optional<Command> parse_command(int argc, char** argv) {
    Command command;
    for (int i = 2; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const std::size_t equals = argument.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view name = argument.substr(0, equals);
        const std::string_view value = argument.substr(equals + 1);
        ParseLimits& limits = command.options.limits;
        bool ok = true;
        if (name == "--format")
            command.format = value;
        else if (name == "--pdfium")
            command.options.pdfium_library = value;
        else if (name == "--page")
            ok = read_number(value, command.page);
        else if (name == "--program")
            command.program = value;
        else if (name == "--languages")
            command.languages = value;
        else if (name == "--width")
            ok = read_number(value, command.picture.width);
        else if (name == "--pixels")
            ok = read_number(value, command.picture.pixels_max);
        else if (name == "--pages")
            ok = read_number(value, limits.pages);
        else if (name == "--text-bytes")
            ok = read_number(value, limits.text_bytes);
        else if (name == "--cpu-seconds")
            ok = read_number(value, limits.cpu_seconds);
        else if (name == "--memory-bytes")
            ok = read_number(value, limits.memory_bytes);
        else if (name == "--require-sandbox")
            command.require_sandbox = value == "yes";
        else
            ok = false;
        if (!ok) return std::nullopt;
    }
    return command;
}

std::optional<std::string_view> map_input() {
    struct stat status{};
    if (fstat(kInput, &status) != 0 || status.st_size < 0) return std::nullopt;
    if (status.st_size == 0) return std::string_view();
    const auto bytes = static_cast<std::size_t>(status.st_size);
    void* data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, kInput, 0);
    if (data == MAP_FAILED) return std::nullopt;
    return std::string_view(static_cast<const char*>(data), bytes);
}

const Format* find(std::span<const Format> readers, std::string_view name) {
    for (const Format& format : readers) {
        if (format.name == name) return &format;
    }
    return nullptr;
}

void read_document(FormatReader& reader, std::string_view bytes, sandbox::RecordWriter& out) {
    ReadOutcome outcome = tl::unexpected(sandbox::Failure::kOutOfMemory);
    try {
        outcome = reader.read(bytes, out);
    } catch (const std::bad_alloc&) {
        outcome = tl::unexpected(sandbox::Failure::kOutOfMemory);
    }
    if (outcome)
        out.end();
    else
        out.failure(outcome.error());
}

// The process lives for one document: memory that a page gives back serves the next page, and
// asking the kernel for it again each time costs a tenth of the reading.
void keep_freed_memory() {
    constexpr int kNever = 1 << 30;
    constexpr int kStep = 4 << 20;
    mallopt(M_TRIM_THRESHOLD, kNever);
    mallopt(M_MMAP_THRESHOLD, kNever);
    mallopt(M_TOP_PAD, kStep);
}

tl::expected<Picture, sandbox::Failure> paint(const pdf::PdfiumLibrary& pdfium,
                                              std::string_view bytes, const Command& command) {
    try {
        return pdf::paint_page(pdfium, bytes, command.page, command.picture);
    } catch (const std::bad_alloc&) {
        return tl::unexpected(sandbox::Failure::kOutOfMemory);
    }
}

int painter_main(const Command& command) {
    using sandbox::Failure;
    const ParseLimits& limits = command.options.limits;
    std::uint32_t walls = sandbox::raise_limits(limits.memory_bytes, limits.cpu_seconds);
    const std::optional<std::string_view> bytes = map_input();
    const auto pdfium = pdf::open_pdfium(command.options.pdfium_library);
    walls |= sandbox::raise_walls();
    tl::expected<Picture, Failure> picture = tl::unexpected(Failure::kOutOfMemory);
    if (command.require_sandbox && !sandbox::has(walls, sandbox::Wall::kSeccomp))
        picture = tl::unexpected(Failure::kNoSandbox);
    else if (!pdfium)
        picture = tl::unexpected(Failure::kNoReader);
    else if (bytes)
        picture = paint(*pdfium, *bytes, command);
    sandbox::write_picture(kOutput, walls, picture);
    _exit(0);
}

}  // namespace

bool is_parser_command(int argc, char** argv) {
    return argc >= 2 && (argv[1] == kParse || argv[1] == kPaint || argv[1] == kRecognise);
}

int parser_main(int argc, char** argv, std::span<const Format> readers) {
    const std::optional<Command> command = parse_command(argc, argv);
    if (!command) return 2;
    if (argv[1] == kPaint) return painter_main(*command);
    if (argv[1] == kRecognise) {
        const ParseLimits& bounds = command->options.limits;
        return ocr::recogniser_main({.program = command->program,
                                     .languages = command->languages,
                                     .cpu_seconds = bounds.cpu_seconds,
                                     .memory_bytes = bounds.memory_bytes});
    }
    const Format* format = find(readers, command->format);
    if (format == nullptr) return 2;
    const ParseLimits& limits = command->options.limits;
    keep_freed_memory();
    std::uint32_t walls = sandbox::raise_limits(limits.memory_bytes, limits.cpu_seconds);
    sandbox::RecordWriter out(kOutput);
    const std::optional<std::string_view> bytes = map_input();
    const std::unique_ptr<FormatReader> reader = format->open(command->options);
    walls |= sandbox::raise_walls();
    out.walls(walls);
    if (command->require_sandbox && !sandbox::has(walls, sandbox::Wall::kSeccomp))
        out.failure(sandbox::Failure::kNoSandbox);
    else if (!bytes)
        out.failure(sandbox::Failure::kOutOfMemory);
    else if (!reader)
        out.failure(sandbox::Failure::kNoReader);
    else
        read_document(*reader, *bytes, out);
    // Nothing of a foreign document's making runs on the way out.
    _exit(0);
}

}  // namespace heddle::ingest
