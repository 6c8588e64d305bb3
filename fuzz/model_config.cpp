// A config.json of any bytes: an error, or a configuration whose arithmetic stays in range.
#include <cstdlib>
#include <string>

#include "model/config.h"
#include "model/plan.h"
#include "model/rope_frequencies.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heddle::model;
    const auto config = parse_config_json(std::string(reinterpret_cast<const char*>(data), size));
    if (!config) return 0;
    for (std::int64_t i = 0; i < config->layers; ++i) (void)config->window_of(i);
    if (config->positions == PositionKind::kRotary) {
        (void)rope_frequencies(*config, config->context);
    }
    (void)plan_memory(*config, {.memory_bytes = ~std::uint64_t{0}});
    return 0;
}
