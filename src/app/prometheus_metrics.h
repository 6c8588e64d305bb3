// prometheus-cpp behind base's metrics interface. Names get the prefix "heddle:", vLLM's habit, so
// that dashboards made for it need one change only.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"

namespace heddle::app {

class PrometheusMetrics final : public Metrics {
public:
    PrometheusMetrics();
    ~PrometheusMetrics() override;

    Counter& counter(std::string_view name, std::string_view help, const Labels& labels) override;
    Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels) override;
    Histogram& histogram(std::string_view name, std::string_view help,
                         const std::vector<double>& bounds, const Labels& labels) override;

    // The text exposition format (version 0.0.4).
    [[nodiscard]] std::string expose() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace heddle::app
