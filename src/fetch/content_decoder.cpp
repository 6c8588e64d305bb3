#include "fetch/content_decoder.h"

#include <algorithm>
#include <array>
#include <new>

#include <brotli/decode.h>
#include <zlib.h>

namespace heddle::fetch {

namespace {

constexpr std::size_t kPieceBytes = 16 << 10;
constexpr std::size_t kFreeOfRatioBytes = 64 << 10;

tl::unexpected<Error> corrupt() {
    return fail(ErrorCode::kCorrupt, "the page's compressed bytes are damaged");
}

class Identity final : public ContentDecoder {
public:
    explicit Identity(DecodeLimits limits) : ContentDecoder(limits) {}

protected:
    Result<> decode(std::string_view encoded) override { return keep(encoded); }
};

// gzip with any number of members, zlib, and the bare deflate that some servers send instead.
class Inflate final : public ContentDecoder {
public:
    Inflate(DecodeLimits limits, bool gzip) : ContentDecoder(limits), gzip_(gzip) {}
    ~Inflate() override {
        if (open_) inflateEnd(&stream_);
    }

    Result<> finish() override {
        if (!open_ && !seen_) return {};  // an empty body
        if (!ended_) return corrupt();
        return {};
    }

protected:
    Result<> decode(std::string_view encoded) override {
        if (encoded.empty()) return {};
        seen_ = true;
        if (!open_) start(static_cast<unsigned char>(encoded.front()));
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(encoded.data()));
        stream_.avail_in = static_cast<uInt>(encoded.size());
        std::array<char, kPieceBytes> piece;
        while (stream_.avail_in > 0 || more_) {
            if (ended_) {
                // Another member follows, or padding that does not matter.
                if (!gzip_ || *stream_.next_in != 0x1F) return {};
                if (inflateReset(&stream_) != Z_OK) return corrupt();
                ended_ = false;
            }
            stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
            stream_.avail_out = piece.size();
            const int status = inflate(&stream_, Z_NO_FLUSH);
            if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return corrupt();
            HEDDLE_TRY_VOID(keep({piece.data(), piece.size() - stream_.avail_out}));
            ended_ = status == Z_STREAM_END;
            more_ = !ended_ && stream_.avail_out == 0;
            if (status == Z_BUF_ERROR) break;
        }
        return {};
    }

private:
    void start(unsigned char first) {
        constexpr int kWindow = 15;
        constexpr int kAnyHeader = 32;
        // zlib's header names method 8 in its low half byte; without one the stream is bare.
        const bool header = gzip_ || (first & 0x0F) == 8;
        if (inflateInit2(&stream_, header ? kWindow + kAnyHeader : -kWindow) != Z_OK) {
            throw std::bad_alloc();
        }
        open_ = true;
    }

    bool gzip_;
    bool open_ = false;
    bool seen_ = false;
    bool ended_ = false;
    bool more_ = false;
    z_stream stream_{};
};

class Brotli final : public ContentDecoder {
public:
    explicit Brotli(DecodeLimits limits)
        : ContentDecoder(limits), state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
        if (state_ == nullptr) throw std::bad_alloc();
    }
    ~Brotli() override { BrotliDecoderDestroyInstance(state_); }

    Result<> finish() override {
        if (!seen_ || BrotliDecoderIsFinished(state_) != BROTLI_FALSE) return {};
        return corrupt();
    }

protected:
    Result<> decode(std::string_view encoded) override {
        if (encoded.empty()) return {};
        seen_ = true;
        std::size_t left = encoded.size();
        const auto* in = reinterpret_cast<const std::uint8_t*>(encoded.data());
        std::array<char, kPieceBytes> piece;
        for (;;) {
            std::size_t room = piece.size();
            auto* out = reinterpret_cast<std::uint8_t*>(piece.data());
            const auto status =
                BrotliDecoderDecompressStream(state_, &left, &in, &room, &out, nullptr);
            HEDDLE_TRY_VOID(keep({piece.data(), piece.size() - room}));
            if (status == BROTLI_DECODER_RESULT_ERROR) return corrupt();
            if (status != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return {};
        }
    }

private:
    BrotliDecoderState* state_;
    bool seen_ = false;
};

std::string normalised(std::string_view encoding) {
    std::string name;
    for (const char c : encoding) {
        if (c != ' ' && c != '\t') name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return name;
}

}  // namespace

Result<std::unique_ptr<ContentDecoder>> ContentDecoder::create(std::string_view content_encoding,
                                                               DecodeLimits limits) {
    const std::string name = normalised(content_encoding);
    std::unique_ptr<ContentDecoder> decoder;
    if (name.empty() || name == "identity") decoder = std::make_unique<Identity>(limits);
    if (name == "gzip" || name == "x-gzip") decoder = std::make_unique<Inflate>(limits, true);
    if (name == "deflate") decoder = std::make_unique<Inflate>(limits, false);
    if (name == "br") decoder = std::make_unique<Brotli>(limits);
    if (decoder) return decoder;
    return fail(ErrorCode::kUnsupportedType, "the page is encoded in a way that is not understood");
}

Result<> ContentDecoder::feed(std::string_view encoded) {
    encoded_bytes_ += encoded.size();
    return decode(encoded);
}

Result<> ContentDecoder::keep(std::string_view decoded) {
    const std::size_t left = limits_.decoded_bytes_max - text_.size();
    text_.append(decoded.substr(0, left));
    const bool bomb =
        text_.size() > kFreeOfRatioBytes && text_.size() / limits_.ratio_max > encoded_bytes_;
    if (decoded.size() > left || bomb) return fail(ErrorCode::kTooLarge, "the page is too large");
    return {};
}

}  // namespace heddle::fetch
