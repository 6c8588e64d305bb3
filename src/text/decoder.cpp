#include "text/decoder.h"

#include <array>
#include <string_view>
#include <utility>

namespace heddle::text {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
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

DecoderPtr make_decoder_sequence(std::vector<DecoderPtr> parts) {
    return std::make_unique<DecoderSequence>(std::move(parts));
}

}  // namespace heddle::text
