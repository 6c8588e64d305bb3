#include "engine/grammar/string_format.h"

#include <algorithm>
#include <array>
#include <utility>

namespace heddle::engine::grammar {
namespace {

#define HEDDLE_DATE                                        \
    "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|" \
    "(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))"
#define HEDDLE_TIME                                             \
    "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?" \
    "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
#define HEDDLE_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HEDDLE_OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define HEDDLE_IPV4 HEDDLE_OCTET "(\\." HEDDLE_OCTET "){3}"
#define HEDDLE_GROUP "[0-9A-Fa-f]{1,4}"
#define HEDDLE_IPV6                                                                     \
    "((" HEDDLE_GROUP ":){7}" HEDDLE_GROUP "|(" HEDDLE_GROUP                            \
    ":){1,7}:|"                                                                         \
    "(" HEDDLE_GROUP ":){1,6}:" HEDDLE_GROUP                                            \
    "|"                                                                                 \
    "(" HEDDLE_GROUP ":){1,5}(:" HEDDLE_GROUP                                           \
    "){1,2}|"                                                                           \
    "(" HEDDLE_GROUP ":){1,4}(:" HEDDLE_GROUP                                           \
    "){1,3}|"                                                                           \
    "(" HEDDLE_GROUP ":){1,3}(:" HEDDLE_GROUP                                           \
    "){1,4}|"                                                                           \
    "(" HEDDLE_GROUP ":){1,2}(:" HEDDLE_GROUP "){1,5}|" HEDDLE_GROUP ":(:" HEDDLE_GROUP \
    "){1,6}|:((:" HEDDLE_GROUP                                                          \
    "){1,7}|:)|"                                                                        \
    "::([Ff]{4}(:0{1,4})?:)?" HEDDLE_IPV4 "|(" HEDDLE_GROUP ":){1,4}:" HEDDLE_IPV4 ")"
#define HEDDLE_ATEXT "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
// RFC 3986 without percent-encoding left open.
#define HEDDLE_URI_CHAR "([A-Za-z0-9._~:/?\\[\\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
#define HEDDLE_URI "[A-Za-z][A-Za-z0-9+.-]*:" HEDDLE_URI_CHAR "*(#" HEDDLE_URI_CHAR "*)?"
#define HEDDLE_IRI_CHAR "([^\\x00- \"<>\\\\^`{|}#%]|%[0-9A-Fa-f]{2})"

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kPatterns{{
    {"date", HEDDLE_DATE},
    {"time", HEDDLE_TIME},
    {"date-time", HEDDLE_DATE "[Tt ]" HEDDLE_TIME},
    {"duration",
     "P([0-9]+W|[0-9]+Y([0-9]+M)?([0-9]+D)?(T[0-9]+H([0-9]+M)?([0-9]+S)?|T[0-9]+M([0-9]+S)?|"
     "T[0-9]+S)?|[0-9]+M([0-9]+D)?(T[0-9]+H([0-9]+M)?([0-9]+S)?|T[0-9]+M([0-9]+S)?|T[0-9]+S)?|"
     "[0-9]+D(T[0-9]+H([0-9]+M)?([0-9]+S)?|T[0-9]+M([0-9]+S)?|T[0-9]+S)?|"
     "T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))"},
    {"email", HEDDLE_ATEXT "(\\." HEDDLE_ATEXT ")*@" HEDDLE_LABEL "(\\." HEDDLE_LABEL ")*"},
    {"hostname", HEDDLE_LABEL "(\\." HEDDLE_LABEL ")*"},
    {"ipv4", HEDDLE_IPV4},
    {"ipv6", HEDDLE_IPV6},
    {"uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"},
    {"uri", HEDDLE_URI},
    {"uri-reference", "(" HEDDLE_URI "|" HEDDLE_URI_CHAR "*(#" HEDDLE_URI_CHAR "*)?)"},
    {"iri", "[A-Za-z][A-Za-z0-9+.-]*:" HEDDLE_IRI_CHAR "*(#" HEDDLE_IRI_CHAR "*)?"},
    {"iri-reference", HEDDLE_IRI_CHAR "*(#" HEDDLE_IRI_CHAR "*)?"},
    {"json-pointer", "(/([^~/]|~[01])*)*"},
    {"relative-json-pointer", "(0|[1-9][0-9]*)(#|(/([^~/]|~[01])*)*)"},
    {"uri-template", "([^\\x00- \"'<>\\\\^`{|}]|\\{[A-Za-z0-9_.,:*+#/;?&=,!@|%]+\\})*"},
}};

constexpr std::array<std::string_view, 3> kUnsupported{"idn-email", "idn-hostname", "regex"};

}  // namespace

StringFormat string_format(std::string_view name) {
    const auto known = std::ranges::find(kPatterns, name, [](const auto& p) { return p.first; });
    if (known != kPatterns.end()) return {FormatKind::kPattern, known->second};
    const bool unsupported = std::ranges::find(kUnsupported, name) != kUnsupported.end();
    return {unsupported ? FormatKind::kUnsupported : FormatKind::kAnnotation, {}};
}

}  // namespace heddle::engine::grammar
