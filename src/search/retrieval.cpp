#include "search/retrieval.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "search/dense_indexes.h"
#include "search/dot.h"
#include "search/fusion.h"
#include "search/keyword_index.h"

namespace heddle::search {
namespace {

using storage::Row;
using storage::Session;

// More candidates than asked for are scored exactly, so that the rounding of the codes does not
// decide who is among the best.
constexpr std::size_t kSpareCandidates = 30;

struct Candidate {
    std::int64_t chunk = 0;
    double fused = 0;
    float score = 0;
    std::vector<float> vector;
};

class Retrieval {
public:
    Retrieval(Session& session, const CollectionRow& collection, const FlatIndex::View& view,
              const VectorQuery& query)
        : session_(session), collection_(collection), view_(view), query_(query) {}

    Result<std::vector<Passage>> run() {
        if (!query_.vector.empty() && query_.vector.size() != collection_.dimensions) {
            return fail(ErrorCode::kInvalidArgument,
                        "the question's vector does not fit the collection");
        }
        HEDDLE_TRY_VOID(apply_filter());
        std::vector<RankedList> lists;
        HEDDLE_TRY_VOID(add_dense(lists));
        HEDDLE_TRY_VOID(add_keywords(lists));
        HEDDLE_TRY(auto candidates, scored(fuse(lists, query_.settings.rrf_k)));
        std::vector<Passage> passages;
        for (const std::size_t at : picked(candidates)) {
            HEDDLE_TRY(auto passage, passage_of(candidates[at]));
            passages.push_back(std::move(passage));
        }
        return passages;
    }

private:
    Result<> apply_filter() {
        const SearchFilter& filter = query_.filter;
        if (filter.documents.empty() && filter.metadata.empty()) return {};
        HEDDLE_TRY(documents_, filtered_documents(session_, collection_.id, filter));
        filtered_ = true;
        return {};
    }
    [[nodiscard]] const std::vector<std::int64_t>* documents() const {
        return filtered_ ? &documents_ : nullptr;
    }

    Result<> add_dense(std::vector<RankedList>& lists) {
        const SearchSettings& settings = query_.settings;
        if (!settings.dense || query_.vector.empty()) return {};
        const auto hits =
            view_.nearest(query_.vector, settings.candidates + kSpareCandidates, documents());
        std::vector<std::pair<float, std::int64_t>> exact;
        for (const DenseHit& hit : hits) {
            HEDDLE_TRY(const auto* vector, vector_of_chunk(hit.chunk));
            exact.emplace_back(similarity(query_.vector, *vector), hit.chunk);
        }
        std::ranges::sort(exact, std::greater<>());
        if (exact.size() > settings.candidates) exact.resize(settings.candidates);
        RankedList list{.weight = settings.dense_weight};
        for (const auto& [score, chunk] : exact) list.chunks.push_back(chunk);
        lists.push_back(std::move(list));
        return {};
    }

    Result<> add_keywords(std::vector<RankedList>& lists) {
        const SearchSettings& settings = query_.settings;
        if (!settings.keyword) return {};
        HEDDLE_TRY(const auto hits, find_keywords(session_, collection_.id, query_.text,
                                                  settings.candidates, documents()));
        RankedList list{.weight = settings.keyword_weight};
        for (const KeywordHit& hit : hits) list.chunks.push_back(hit.chunk);
        lists.push_back(std::move(list));
        return {};
    }

    // With their exact cosines, without those below the threshold, best first.
    Result<std::vector<Candidate>> scored(const std::vector<FusedHit>& hits) {
        std::vector<Candidate> out;
        for (const FusedHit& hit : hits) {
            HEDDLE_TRY(const auto* vector, vector_of_chunk(hit.chunk));
            Candidate candidate{.chunk = hit.chunk, .fused = hit.score, .vector = *vector};
            if (!query_.vector.empty()) {
                candidate.score = similarity(query_.vector, *vector);
                if (candidate.score < query_.score_threshold) continue;
            }
            out.push_back(std::move(candidate));
        }
        return out;
    }

    [[nodiscard]] std::vector<std::size_t> picked(const std::vector<Candidate>& candidates) const {
        const SearchSettings& settings = query_.settings;
        const std::size_t pool =
            std::min(candidates.size(), std::max(settings.mmr_pool, query_.limit));
        std::vector<double> relevance;
        for (std::size_t i = 0; i < pool; ++i) relevance.push_back(candidates[i].fused);
        const auto alike = [&](std::size_t a, std::size_t b) {
            return similarity(candidates[a].vector, candidates[b].vector);
        };
        return diversify(relevance, query_.limit, settings.mmr_lambda, alike);
    }

    Result<const std::vector<float>*> vector_of_chunk(std::int64_t chunk) {
        const auto known = vectors_.find(chunk);
        if (known != vectors_.end()) return &known->second;
        const auto read = [&](const Row& row) {
            return vector_of(row.blob(0), collection_.dimensions);
        };
        HEDDLE_TRY(auto vector, session_.first("SELECT vector FROM search_vectors WHERE chunk = ?",
                                               read, chunk));
        return &vectors_.emplace(chunk, std::move(vector).value_or(std::vector<float>()))
                    .first->second;
    }

    // 0 when one is missing.
    [[nodiscard]] static float similarity(const std::vector<float>& a,
                                          const std::vector<float>& b) {
        if (a.size() != b.size()) return 0;
        return dot_kernels().dot(a.data(), b.data(), a.size());
    }

    Result<Passage> passage_of(const Candidate& candidate) {
        std::int64_t document = 0;
        const auto read = [&](const Row& row) {
            document = row.integer(12);
            return Passage{.chunk = read_chunk(row),
                           .title = row.string(9),
                           .source = row.string(10),
                           .metadata = row.string(11),
                           .score = candidate.score,
                           .fused = candidate.fused};
        };
        static const std::string sql = fmt::format(
            "SELECT {}, d.title, d.source, d.metadata, d.id FROM search_chunks c "
            "JOIN search_documents d ON d.id = c.document WHERE c.id = ?",
            kChunkColumns);
        HEDDLE_TRY(auto passage, session_.first(sql, read, candidate.chunk));
        if (!passage) return fail(ErrorCode::kCorrupt, "a passage of the index has no text");
        HEDDLE_TRY_VOID(add_neighbours(*passage, document));
        return std::move(*passage);
    }

    Result<> add_neighbours(Passage& passage, std::int64_t document) {
        const std::int64_t reach = query_.settings.neighbours;
        if (reach == 0) return {};
        const std::int64_t here = passage.chunk.ordinal;
        const auto add = [&](const Row& row) {
            std::string& side = row.integer(0) < here ? passage.before : passage.after;
            if (!side.empty()) side += '\n';
            side += row.text(1);
        };
        return session_.each(
            "SELECT ordinal, text FROM search_chunks WHERE document = ? AND ordinal >= ? "
            "AND ordinal <= ? AND ordinal <> ? ORDER BY ordinal",
            add, document, here - reach, here + reach, here);
    }

    Session& session_;
    const CollectionRow& collection_;
    const FlatIndex::View& view_;
    const VectorQuery& query_;
    bool filtered_ = false;
    std::vector<std::int64_t> documents_;
    std::map<std::int64_t, std::vector<float>> vectors_;
};

}  // namespace

Result<std::vector<Passage>> retrieve(Session& session, const CollectionRow& collection,
                                      const FlatIndex::View& view, const VectorQuery& query) {
    return Retrieval(session, collection, view, query).run();
}

}  // namespace heddle::search
