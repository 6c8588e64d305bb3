#include "base/metrics.h"

namespace heddle {
namespace {

class NoCounter final : public Counter {
    void add(double) override {}
};
class NoGauge final : public Gauge {
    void set(double) override {}
    void add(double) override {}
};
class NoHistogram final : public Histogram {
    void observe(double) override {}
};

class NoMetrics final : public Metrics {
public:
    Counter& counter(std::string_view, std::string_view, const Labels&) override {
        return counter_;
    }
    Gauge& gauge(std::string_view, std::string_view, const Labels&) override { return gauge_; }
    Histogram& histogram(std::string_view, std::string_view, const std::vector<double>&,
                         const Labels&) override {
        return histogram_;
    }

private:
    NoCounter counter_;
    NoGauge gauge_;
    NoHistogram histogram_;
};

}  // namespace

Metrics& Metrics::none() {
    static NoMetrics instance;
    return instance;
}

Metrics::Labels LabelledMetrics::all(const Labels& labels) const {
    Labels both = labels_;
    both.insert(both.end(), labels.begin(), labels.end());
    return both;
}

Counter& LabelledMetrics::counter(std::string_view name, std::string_view help,
                                  const Labels& labels) {
    return metrics_.counter(name, help, all(labels));
}

Gauge& LabelledMetrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
    return metrics_.gauge(name, help, all(labels));
}

Histogram& LabelledMetrics::histogram(std::string_view name, std::string_view help,
                                      const std::vector<double>& bounds, const Labels& labels) {
    return metrics_.histogram(name, help, bounds, all(labels));
}

}  // namespace heddle
