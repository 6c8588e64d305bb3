#include "text/decoder.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "text/byte_level.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    std::size_t found = text.find(from);
    if (from.empty() || found == std::string::npos) return;
    std::string out;
    std::size_t done = 0;
    for (; found != std::string::npos; found = text.find(from, done)) {
        out.append(text, done, found - done);
        out.append(to);
        done = found + from.size();
    }
    text = out.append(text, done);
}

class WordPieceDecoder final : public Decoder {
public:
    WordPieceDecoder(std::string prefix, bool cleanup)
        : prefix_(std::move(prefix)), cleanup_(cleanup) {}

    void apply(std::vector<std::string>& pieces) const override {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            std::string& piece = pieces[i];
            if (i > 0) {
                if (piece.starts_with(prefix_)) {
                    piece.erase(0, prefix_.size());
                } else {
                    piece.insert(0, 1, ' ');
                }
            }
            if (cleanup_) clean(piece);
        }
    }

private:
    // What English tokenizers leave behind, undone in the order of the original.
    static void clean(std::string& piece) {
        static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules = {
            {{" .", "."},
             {" ?", "?"},
             {" !", "!"},
             {" ,", ","},
             {" ' ", "'"},
             {" n't", "n't"},
             {" 'm", "'m"},
             {" do not", " don't"},
             {" 's", "'s"},
             {" 've", "'ve"},
             {" 're", "'re"}}};
        for (const auto& [from, to] : kRules) replace_all(piece, from, to);
    }

    const std::string prefix_;
    const bool cleanup_;
};

class ByteLevelDecoder final : public Decoder {
public:
    void apply(std::vector<std::string>& pieces) const override {
        for (std::string& piece : pieces) {
            // Added tokens are written as they are, outside the alphabet.
            if (std::optional<std::string> bytes = byte_level_bytes(piece)) {
                piece = std::move(*bytes);
            }
        }
    }
};

class ByteFallbackDecoder final : public Decoder {
public:
    void apply(std::vector<std::string>& pieces) const override {
        std::vector<std::string> out;
        std::string row;
        for (std::string& piece : pieces) {
            if (const std::optional<unsigned char> byte = byte_of_piece(piece)) {
                row.push_back(static_cast<char>(*byte));
                continue;
            }
            end_row(row, out);
            out.push_back(std::move(piece));
        }
        end_row(row, out);
        pieces = std::move(out);
    }

private:
    static void end_row(std::string& row, std::vector<std::string>& out) {
        if (row.empty()) return;
        if (is_valid_utf8(row)) {
            out.push_back(row);
        } else {
            out.insert(out.end(), row.size(), std::string(kReplacementUtf8));
        }
        row.clear();
    }
};

class FuseDecoder final : public Decoder {
public:
    void apply(std::vector<std::string>& pieces) const override {
        std::string text;
        for (const std::string& piece : pieces) text += piece;
        pieces.assign(1, std::move(text));
    }
};

class StripDecoder final : public Decoder {
public:
    StripDecoder(std::string character, std::size_t left, std::size_t right)
        : character_(std::move(character)), left_(left), right_(right) {}

    void apply(std::vector<std::string>& pieces) const override {
        for (std::string& piece : pieces) {
            for (std::size_t i = 0; i < left_ && piece.starts_with(character_); ++i) {
                piece.erase(0, character_.size());
            }
            for (std::size_t i = 0; i < right_ && piece.ends_with(character_); ++i) {
                piece.resize(piece.size() - character_.size());
            }
        }
    }

private:
    const std::string character_;
    const std::size_t left_;
    const std::size_t right_;
};

class ReplaceDecoder final : public Decoder {
public:
    ReplaceDecoder(std::string pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}
    void apply(std::vector<std::string>& pieces) const override {
        for (std::string& piece : pieces) replace_all(piece, pattern_, content_);
    }

private:
    const std::string pattern_;
    const std::string content_;
};

class MetaspaceDecoder final : public Decoder {
public:
    MetaspaceDecoder(std::string replacement, bool prepended)
        : replacement_(std::move(replacement)), prepended_(prepended) {}
    void apply(std::vector<std::string>& pieces) const override {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            replace_all(pieces[i], replacement_, i == 0 && prepended_ ? "" : " ");
        }
    }

private:
    const std::string replacement_;
    const bool prepended_;
};

class BpeDecoder final : public Decoder {
public:
    explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
    void apply(std::vector<std::string>& pieces) const override {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            replace_all(pieces[i], suffix_, i + 1 == pieces.size() ? "" : " ");
        }
    }

private:
    const std::string suffix_;
};

class DecoderSequence final : public Decoder {
public:
    explicit DecoderSequence(std::vector<DecoderPtr> parts) : parts_(std::move(parts)) {}
    void apply(std::vector<std::string>& pieces) const override {
        for (const DecoderPtr& part : parts_) part->apply(pieces);
    }

private:
    const std::vector<DecoderPtr> parts_;
};

}  // namespace

DecoderPtr make_wordpiece_decoder(std::string prefix, bool cleanup) {
    return std::make_unique<WordPieceDecoder>(std::move(prefix), cleanup);
}

DecoderPtr make_byte_level_decoder() {
    return std::make_unique<ByteLevelDecoder>();
}

DecoderPtr make_byte_fallback_decoder() {
    return std::make_unique<ByteFallbackDecoder>();
}

DecoderPtr make_fuse_decoder() {
    return std::make_unique<FuseDecoder>();
}

DecoderPtr make_strip_decoder(std::string character, std::size_t left, std::size_t right) {
    return std::make_unique<StripDecoder>(std::move(character), left, right);
}

DecoderPtr make_replace_decoder(std::string pattern, std::string content) {
    return std::make_unique<ReplaceDecoder>(std::move(pattern), std::move(content));
}

DecoderPtr make_metaspace_decoder(std::string replacement, bool prepended) {
    return std::make_unique<MetaspaceDecoder>(std::move(replacement), prepended);
}

DecoderPtr make_bpe_decoder(std::string suffix) {
    return std::make_unique<BpeDecoder>(std::move(suffix));
}

DecoderPtr make_decoder_sequence(std::vector<DecoderPtr> parts) {
    return std::make_unique<DecoderSequence>(std::move(parts));
}

}  // namespace heddle::text
