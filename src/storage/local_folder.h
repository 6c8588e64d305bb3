// A folder of the local file system, held open by descriptor: what is renamed or linked around it
// later changes nothing.
#pragma once

#include "storage/file.h"

namespace heddle::storage {

// Creates the folder (mode 0700) when absent; its parent must exist.
[[nodiscard]] Result<std::unique_ptr<Folder>> open_local_folder(const std::string& path);

}  // namespace heddle::storage
