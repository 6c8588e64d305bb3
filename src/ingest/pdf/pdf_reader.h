// PDF through PDFium, which is opened before the walls and used behind them.
#pragma once

#include <memory>

#include "ingest/formats.h"

namespace heddle::ingest::pdf {

[[nodiscard]] const Format& pdf_format();

}  // namespace heddle::ingest::pdf
