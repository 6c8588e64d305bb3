#include "text/sentence_words.h"

#include <algorithm>
#include <array>
#include <string>

namespace heddle::text {
namespace {

constexpr std::array kTitles = std::to_array<std::string_view>(
    {"adm", "asst", "attys", "brig", "capt", "cmdr", "col",  "comdr", "cpl",    "cpt",
     "dr",  "fr",   "gen",   "gov",  "hon",  "insp", "lt",   "maj",   "messrs", "mlle",
     "mm",  "mme",  "mr",    "mrs",  "ms",   "msgr", "pfc",  "pres",  "prof",   "pvt",
     "rep", "rev",  "sen",   "sens", "sfc",  "sgt",  "supt", "surg",  "vs"});
constexpr std::array kNumbers = std::to_array<std::string_view>(
    {"app", "art", "arts", "ca",  "cap",  "ch",   "chap", "cl",  "col",  "eq",
     "eqs", "fig", "figs", "lib", "n°",   "no",   "nos",  "nr",  "op",   "p",
     "par", "pp",  "pt",   "ref", "refs", "sect", "tab",  "vol", "vols", "§"});
constexpr std::array kGeneral = std::to_array<std::string_view>(
    {"al",   "alt",  "approx", "apr",  "apt",   "assn", "assoc", "aug",   "ave",  "blvd", "bros",
     "cf",   "cie",  "co",     "comp", "conn",  "corp", "cm",    "ct",    "ctr",  "cu",   "dec",
     "dept", "dist", "div",    "e.g",  "ed",    "eds",  "enc",   "esp",   "est",  "etc",  "ex",
     "exp",  "ext",  "feb",    "ft",   "fri",   "hrs",  "hwy",   "i.e",   "ibid", "inc",  "incl",
     "intl", "jan",  "jr",     "jul",  "jun",   "kg",   "km",    "lbs",   "llc",  "ltd",  "mar",
     "max",  "mfg",  "mi",     "min",  "mins",  "misc", "mon",   "mt",    "mts",  "natl", "nov",
     "oct",  "orig", "oz",     "ph.d", "pl",    "plc",  "prev",  "pseud", "publ", "rd",   "resp",
     "sat",  "sec",  "secs",   "bldg", "sep",   "sept", "sq",    "sr",    "st",   "ste",  "sun",
     "tel",  "temp", "thu",    "thur", "thurs", "tues", "univ",  "viz",   "wed",  "wk",   "wks",
     "yr",   "yrs"});
constexpr std::array kStarters = std::to_array<std::string_view>(
    {"A",     "After",    "All",     "Although",  "An",    "And",   "Another", "Any",      "Are",
     "As",    "At",       "Because", "Before",    "Being", "But",   "By",      "Can",      "Could",
     "Did",   "Do",       "Does",    "During",    "Each",  "Even",  "Every",   "Finally",  "First",
     "For",   "From",     "He",      "Her",       "Here",  "His",   "How",     "However",  "I",
     "If",    "In",       "Is",      "It",        "Its",   "Later", "Many",    "Millions", "More",
     "Most",  "Moreover", "My",      "No",        "Not",   "Now",   "On",      "Once",     "One",
     "Only",  "Our",      "She",     "Since",     "So",    "Some",  "Such",    "That",     "The",
     "Their", "Then",     "There",   "Therefore", "These", "They",  "This",    "Those",    "Thus",
     "To",    "Was",      "We",      "What"});
constexpr std::array kMoreStarters = std::to_array<std::string_view>(
    {"When",  "Where", "Whether", "Which", "While", "Who",  "Why",    "Will", "With",  "Without",
     "Would", "Yes",   "Yet",     "You",   "Your",  "It's", "That's", "He's", "She's", "I'm"});

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

}  // namespace

Abbreviation abbreviation_kind(std::string_view word) {
    constexpr std::size_t kLongest = 8;
    if (word.empty() || word.size() > kLongest) return Abbreviation::kNone;
    std::string lower(word);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    // "no" and "art" are words too: as abbreviations they count only before a number.
    if (holds(kNumbers, lower)) return Abbreviation::kNumber;
    if (holds(kTitles, lower)) return Abbreviation::kTitle;
    if (holds(kGeneral, lower)) return Abbreviation::kGeneral;
    return Abbreviation::kNone;
}

bool is_sentence_starter(std::string_view word) {
    return holds(kStarters, word) || holds(kMoreStarters, word);
}

}  // namespace heddle::text
