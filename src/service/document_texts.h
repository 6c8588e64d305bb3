// More of a document than the passages that a search finds: the section around a hit, or all of it.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "search/collections.h"
#include "service/source.h"

namespace heddle::service {

// The whole text of a document, put together from its passages (what overlaps is taken once), with
// the places where pages begin. At most 20 MB. `collections` outlives the task.
async::Task<Result<GroundedText>> read_whole_document(search::Collections& collections,
                                                      std::string owner, std::string collection,
                                                      Source source);

struct SectionOptions {
    // Neighbours looked at on each side of a hit.
    std::uint32_t passages_max = 6;
    std::size_t bytes_max = 6'000;
};

// Small passages are found best, and read best with what stands around them: each hit becomes the
// part of its section (passages in a row under the same heading) around it. Hits of one section
// become one text, at the place of the better. Citations keep the passage that was found.
async::Task<Result<std::vector<GroundedText>>> widen_to_sections(search::Collections& collections,
                                                                 std::string owner,
                                                                 std::string collection,
                                                                 std::vector<GroundedText> hits,
                                                                 SectionOptions options);

}  // namespace heddle::service
