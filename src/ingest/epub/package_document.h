// The package document of a book (.opf): its title and the order of its texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle::ingest::epub {

struct PackageDocument {
    std::string title;
    std::vector<std::string> texts;  // names in the archive, in reading order
};

// `path` is the document's own name in the archive. Damaged ones are read as far as they go.
[[nodiscard]] PackageDocument read_package_document(std::string_view xml, std::string_view path);

// The name of the package document that META-INF/container.xml gives; empty without one.
[[nodiscard]] std::string read_container(std::string_view xml);

// Names that META-INF/encryption.xml lists.
[[nodiscard]] std::vector<std::string> read_encryption(std::string_view xml);

}  // namespace heddle::ingest::epub
