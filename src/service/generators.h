// Which generator serves which model name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "service/generator.h"

namespace heddle::service {

// Fixed after start; thread-safe.
class Generators {
public:
    // In order of preference: the first one that serves any model gives the default. A name that
    // two serve belongs to the first.
    explicit Generators(std::vector<std::shared_ptr<Generator>> generators)
        : generators_(std::move(generators)) {}

    struct Choice {
        std::shared_ptr<Generator> generator;
        ModelInfo model;
    };

    // An empty name means the default. kNotFound (model_not_found) naming `model`.
    [[nodiscard]] Result<Choice> choose(const std::string& model) const;
    [[nodiscard]] std::vector<ModelInfo> models() const;

private:
    std::vector<std::shared_ptr<Generator>> generators_;
};

// Runs the chosen generator until its request's deadline and closes `out` at the end, so that who
// reads it ends too; async::together() joins the two.
async::Task<Result<Completion>> write_pieces(Generators::Choice choice, GenerateRequest request,
                                             std::shared_ptr<TextStream> out);

}  // namespace heddle::service
