// Metrics behind a narrow interface; app puts prometheus-cpp behind it, tests and tools use
// Metrics::none(). Handles stay valid as long as the Metrics object. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heddle {

class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(double amount = 1) = 0;
};

class Gauge {
public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
    virtual void add(double amount) = 0;
};

class Histogram {
public:
    virtual ~Histogram() = default;
    virtual void observe(double value) = 0;
};

// Names carry no prefix ("time_to_first_token_seconds"); the exporter adds "heddle:".
class Metrics {
public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    virtual ~Metrics() = default;
    virtual Counter& counter(std::string_view name, std::string_view help,
                             const Labels& labels = {}) = 0;
    virtual Gauge& gauge(std::string_view name, std::string_view help,
                         const Labels& labels = {}) = 0;
    // Upper bounds in rising order, without +Inf.
    virtual Histogram& histogram(std::string_view name, std::string_view help,
                                 const std::vector<double>& bounds, const Labels& labels = {}) = 0;

    // Swallows everything; for tests and one-shot commands.
    static Metrics& none();
};

// Puts the same labels in front of every series; `metrics` outlives it.
class LabelledMetrics final : public Metrics {
public:
    LabelledMetrics(Metrics& metrics, Labels labels)
        : metrics_(metrics), labels_(std::move(labels)) {}

    Counter& counter(std::string_view name, std::string_view help,
                     const Labels& labels = {}) override;
    Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {}) override;
    Histogram& histogram(std::string_view name, std::string_view help,
                         const std::vector<double>& bounds, const Labels& labels = {}) override;

private:
    [[nodiscard]] Labels all(const Labels& labels) const;

    Metrics& metrics_;
    const Labels labels_;
};

}  // namespace heddle
