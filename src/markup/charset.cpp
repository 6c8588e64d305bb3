#include "markup/charset.h"

#include <algorithm>
#include <array>
#include <vector>

#include <lexbor/encoding/encoding.h>
#include <lexbor/html/encoding.h>

namespace heddle::markup {

namespace {

const lxb_char_t* bytes_of(std::string_view text) {
    return reinterpret_cast<const lxb_char_t*>(text.data());
}

const lxb_encoding_data_t* encoding_named(std::string_view label) {
    if (label.empty()) return nullptr;
    return lxb_encoding_data_by_pre_name(bytes_of(label), label.size());
}

const lxb_encoding_data_t* encoding_of_mark(std::string_view bytes, std::size_t& mark_bytes) {
    mark_bytes = 0;
    if (bytes.starts_with("\xEF\xBB\xBF")) {
        mark_bytes = 3;
        return lxb_encoding_data(LXB_ENCODING_UTF_8);
    }
    if (bytes.starts_with("\xFE\xFF")) {
        mark_bytes = 2;
        return lxb_encoding_data(LXB_ENCODING_UTF_16BE);
    }
    if (bytes.starts_with("\xFF\xFE")) {
        mark_bytes = 2;
        return lxb_encoding_data(LXB_ENCODING_UTF_16LE);
    }
    return nullptr;
}

// Browsers look at 1024 bytes first and start again when a <meta> comes later; this looks further
// at once.
const lxb_encoding_data_t* encoding_in_meta(std::string_view bytes) {
    constexpr std::size_t kPrescanBytes = 64 << 10;
    lxb_html_encoding_t prescan{};
    if (lxb_html_encoding_init(&prescan) != LXB_STATUS_OK) return nullptr;
    const std::string_view head = bytes.substr(0, kPrescanBytes);
    lxb_html_encoding_determine(&prescan, bytes_of(head), bytes_of(head) + head.size());
    const lxb_encoding_data_t* found = nullptr;
    for (std::size_t i = 0; i < lxb_html_encoding_meta_length(&prescan) && found == nullptr; ++i) {
        const auto* entry = lxb_html_encoding_meta_entry(&prescan, i);
        found = lxb_encoding_data_prescan_validate(
            entry->name, static_cast<std::size_t>(entry->end - entry->name));
    }
    lxb_html_encoding_destroy(&prescan, false);
    return found;
}

// Decodes all of it; counts what the encoding has no character for.
std::string decode(std::string_view bytes, const lxb_encoding_data_t* encoding,
                   std::size_t* errors = nullptr) {
    constexpr lxb_codepoint_t kReplacement = 0xFFFD;
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 8);
    std::array<lxb_codepoint_t, 4096> points{};
    lxb_encoding_decode_t state{};
    lxb_encoding_decode_init(&state, encoding, points.data(), points.size());
    lxb_encoding_decode_replace_set(&state, &kReplacement, 1);
    const lxb_char_t* at = bytes_of(bytes);
    const lxb_char_t* end = at + bytes.size();
    const auto flush = [&] {
        for (std::size_t i = 0; i < lxb_encoding_decode_buf_used(&state); ++i) {
            lxb_codepoint_t point = points[i];
            if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) point = kReplacement;
            if (point == kReplacement && errors != nullptr) ++*errors;
            std::array<lxb_char_t, 4> utf8{};
            lxb_char_t* to = utf8.data();
            const auto size = lxb_encoding_encode_utf_8_single(nullptr, &to, to + 4, point);
            if (size > 0)
                out.append(reinterpret_cast<const char*>(utf8.data()),
                           static_cast<std::size_t>(size));
        }
        lxb_encoding_decode_buf_used_set(&state, 0);
    };
    while (at < end) {
        const lxb_status_t status = encoding->decode(&state, &at, end);
        flush();
        if (status != LXB_STATUS_SMALL_BUFFER) break;
    }
    lxb_encoding_decode_finish(&state);
    flush();
    return out;
}

bool looks_like_utf16(std::string_view bytes, bool big_endian) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 512);
    std::size_t zeros = 0;
    for (std::size_t i = big_endian ? 0 : 1; i < size; i += 2) zeros += bytes[i] == '\0' ? 1U : 0U;
    return size >= 16 && zeros * 10 > size * 4;
}

struct Range {
    unsigned first;
    unsigned last;
    [[nodiscard]] bool has(unsigned byte) const { return byte >= first && byte <= last; }
};

// Two-byte encodings, by how their pairs look: the share of pairs whose first byte is one that
// common characters have. 0 when a pair is impossible.
struct PairProfile {
    lxb_encoding_t encoding;
    std::array<Range, 2> lead;      // possible first bytes
    std::array<Range, 2> trail;     // possible second bytes
    std::array<Range, 2> frequent;  // first bytes of common characters
    double least;                   // share of frequent pairs, below which it is another encoding
    double weight;
};

// Japanese is known by its kana, Korean by its narrow range of syllables, Big5 by second bytes
// below 0x80; GB 18030 allows nearly everything and therefore weighs a little less.
constexpr Range kNone{1, 0};
constexpr std::array kPairProfiles = std::to_array<PairProfile>({
    {LXB_ENCODING_SHIFT_JIS,
     {{{0x81, 0x9F}, {0xE0, 0xEF}}},
     {{{0x40, 0x7E}, {0x80, 0xFC}}},
     {{{0x82, 0x83}, kNone}},
     0.25,
     2.0},
    {LXB_ENCODING_EUC_JP,
     {{{0xA1, 0xFE}, {0x8E, 0x8F}}},
     {{{0xA1, 0xFE}, kNone}},
     {{{0xA4, 0xA5}, kNone}},
     0.25,
     2.0},
    {LXB_ENCODING_EUC_KR,
     {{{0xA1, 0xFE}, kNone}},
     {{{0xA1, 0xFE}, kNone}},
     {{{0xB0, 0xC8}, {0xA1, 0xA1}}},
     0.85,
     1.0},
    {LXB_ENCODING_GB18030,
     {{{0x81, 0xFE}, kNone}},
     {{{0xA1, 0xFE}, kNone}},
     {{{0xB0, 0xD7}, {0xA1, 0xA3}}},
     0.7,
     0.98},
    {LXB_ENCODING_BIG5,
     {{{0xA1, 0xF9}, kNone}},
     {{{0x40, 0x7E}, {0xA1, 0xFE}}},
     {{{0xA4, 0xC6}, {0xA1, 0xA1}}},
     0.7,
     0.97},
});

bool has(const std::array<Range, 2>& ranges, unsigned byte) {
    return ranges[0].has(byte) || ranges[1].has(byte);
}

double pair_score(std::string_view sample, const PairProfile& profile) {
    std::size_t pairs = 0;
    std::size_t frequent = 0;
    for (std::size_t i = 0; i + 1 < sample.size(); ++i) {
        const auto lead = static_cast<unsigned char>(sample[i]);
        if (lead < 0x80) continue;
        const auto trail = static_cast<unsigned char>(sample[++i]);
        if (!has(profile.lead, lead) || !has(profile.trail, trail)) return 0;
        ++pairs;
        frequent += has(profile.frequent, lead) ? 1U : 0U;
    }
    if (pairs == 0) return 0;
    const double share = static_cast<double>(frequent) / static_cast<double>(pairs);
    return share < profile.least ? 0 : std::min(1.0, share * profile.weight);
}

bool is_ascii_letter(char c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// Single-byte encodings: foreign letters that stand among ASCII ones are Latin; words of foreign
// letters are Cyrillic, whose encoding is the one in which most of them are lower case.
struct LetterProfile {
    double latin = 0;
    double windows_1251 = 0;
    double koi8_r = 0;
};

LetterProfile letter_scores(std::string_view sample) {
    std::size_t foreign = 0;
    std::size_t among_ascii = 0;
    std::size_t upper_half = 0;  // 0xE0 to 0xFF
    std::size_t lower_half = 0;  // 0xC0 to 0xDF
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const auto byte = static_cast<unsigned char>(sample[i]);
        if (byte < 0x80) continue;
        ++foreign;
        const bool before = i > 0 && static_cast<unsigned char>(sample[i - 1]) >= 0xC0;
        const bool after =
            i + 1 < sample.size() && static_cast<unsigned char>(sample[i + 1]) >= 0xC0;
        const bool ascii = (i > 0 && is_ascii_letter(sample[i - 1])) ||
                           (i + 1 < sample.size() && is_ascii_letter(sample[i + 1]));
        among_ascii += ascii || !(before || after) ? 1U : 0U;
        if (before || after) {
            upper_half += byte >= 0xE0 ? 1U : 0U;
            lower_half += byte >= 0xC0 && byte < 0xE0 ? 1U : 0U;
        }
    }
    if (foreign == 0) return {};
    const double all = static_cast<double>(foreign);
    return {static_cast<double>(among_ascii) / all, static_cast<double>(upper_half) / all,
            static_cast<double>(lower_half) / all};
}

const lxb_encoding_data_t* guess(std::string_view bytes) {
    if (looks_like_utf16(bytes, false)) return lxb_encoding_data(LXB_ENCODING_UTF_16LE);
    if (looks_like_utf16(bytes, true)) return lxb_encoding_data(LXB_ENCODING_UTF_16BE);
    std::size_t errors = 0;
    const std::string utf8 = decode(bytes, lxb_encoding_data(LXB_ENCODING_UTF_8), &errors);
    // A page cut off inside its last character is still UTF-8.
    if (errors == 0 || (errors == 1 && bytes.size() > 64 && utf8.ends_with("\xEF\xBF\xBD"))) {
        return lxb_encoding_data(LXB_ENCODING_UTF_8);
    }
    constexpr std::size_t kSampleBytes = 16 << 10;
    const auto foreign = std::find_if(bytes.begin(), bytes.end(),
                                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    // The sample begins with the letter before the first byte outside of ASCII.
    const auto at = static_cast<std::size_t>(foreign - bytes.begin());
    const std::string_view sample = bytes.substr(at > 0 ? at - 1 : 0, kSampleBytes);
    const LetterProfile letters = letter_scores(sample);
    lxb_encoding_t best = LXB_ENCODING_WINDOWS_1252;
    double most = letters.latin;
    const auto consider = [&](lxb_encoding_t encoding, double score) {
        if (score <= most) return;
        most = score;
        best = encoding;
    };
    for (const PairProfile& profile : kPairProfiles) {
        consider(profile.encoding, pair_score(sample, profile));
    }
    consider(LXB_ENCODING_WINDOWS_1251, letters.windows_1251);
    consider(LXB_ENCODING_KOI8_R, letters.koi8_r);
    return lxb_encoding_data(best);
}

}  // namespace

std::string_view charset_of(std::string_view content_type) {
    constexpr std::string_view kName = "charset";
    for (std::size_t at = 0; at + kName.size() < content_type.size(); ++at) {
        const bool here =
            std::equal(kName.begin(), kName.end(), content_type.begin() + static_cast<long>(at),
                       [](char a, char b) { return a == (b | 0x20); });
        if (!here || (at > 0 && content_type[at - 1] != ';' && content_type[at - 1] != ' '))
            continue;
        std::string_view rest = content_type.substr(at + kName.size());
        while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
        if (!rest.starts_with('=')) continue;
        rest.remove_prefix(1);
        while (!rest.empty() &&
               (rest.front() == ' ' || rest.front() == '"' || rest.front() == '\'')) {
            rest.remove_prefix(1);
        }
        return rest.substr(0, rest.find_first_of("\"'; \t"));
    }
    return {};
}

DecodedText decode_text(std::string_view bytes, std::string_view charset, bool is_html) {
    std::size_t mark_bytes = 0;
    const lxb_encoding_data_t* encoding = encoding_of_mark(bytes, mark_bytes);
    if (encoding == nullptr) encoding = encoding_named(charset);
    if (encoding == nullptr && is_html) encoding = encoding_in_meta(bytes);
    if (encoding == nullptr || encoding->encoding == LXB_ENCODING_REPLACEMENT) {
        encoding = guess(bytes);
    }
    DecodedText out;
    out.utf8 = decode(bytes.substr(mark_bytes), encoding);
    out.encoding = reinterpret_cast<const char*>(encoding->name);
    return out;
}

}  // namespace heddle::markup
