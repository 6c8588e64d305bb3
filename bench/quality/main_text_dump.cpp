// Reads paths of HTML files from standard input, one a line, and writes one JSON line for each:
// {"path", "seconds", "text", …}. The clock is this thread's
// processor time in parsing and extraction; reading files is not in it.
#include <time.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "markup/html.h"
#include "markup/main_text.h"

namespace {

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main() {
    using namespace heddle::markup;
    std::ifstream paths("/dev/stdin");
    for (std::string line; std::getline(paths, line);) {
        const auto tab = line.find('\t');
        const std::string path = line.substr(0, tab);
        std::ifstream in(path, std::ios::binary);
        std::ostringstream bytes;
        bytes << in.rdbuf();
        const std::string html = std::move(bytes).str();
        MainTextOptions options;
        if (tab != std::string::npos) options.url = line.substr(tab + 1);
        const double from = cpu_seconds();
        const MainText page = extract_main_text(HtmlTree::parse(html), options);
        const double spent = cpu_seconds() - from;
        const nlohmann::json out = {{"path", path},
                                    {"seconds", spent},
                                    {"text", page.markdown},
                                    {"title", page.title},
                                    {"byline", page.byline},
                                    {"published", page.published},
                                    {"language", page.language},
                                    {"site_name", page.site_name},
                                    {"excerpt", page.excerpt},
                                    {"kind", to_string(page.kind)},
                                    {"invisible", page.invisible_characters}};
        const auto text = out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
}
