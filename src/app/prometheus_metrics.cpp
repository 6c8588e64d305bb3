#include "app/prometheus_metrics.h"

#include <list>
#include <map>
#include <mutex>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace heddle::app {
namespace {

class PrometheusCounter final : public Counter {
public:
    explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
    void add(double amount) override { counter_.Increment(amount); }

private:
    prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
public:
    explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
    void set(double value) override { gauge_.Set(value); }
    void add(double amount) override { gauge_.Increment(amount); }

private:
    prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
public:
    explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
    void observe(double value) override { histogram_.Observe(value); }

private:
    prometheus::Histogram& histogram_;
};

prometheus::Labels labels_of(const Metrics::Labels& labels) {
    return prometheus::Labels(labels.begin(), labels.end());
}

}  // namespace

struct PrometheusMetrics::Impl {
    prometheus::Registry registry;
    std::mutex mutex;
    // One handle for each distinct series; prometheus-cpp gives the same series for the same
    // labels.
    std::map<const void*, std::unique_ptr<Counter>> counters;
    std::map<const void*, std::unique_ptr<Gauge>> gauges;
    std::map<const void*, std::unique_ptr<Histogram>> histograms;

    static std::string full_name(std::string_view name) { return "heddle:" + std::string(name); }
};

PrometheusMetrics::PrometheusMetrics() : impl_(std::make_unique<Impl>()) {}
PrometheusMetrics::~PrometheusMetrics() = default;

Counter& PrometheusMetrics::counter(std::string_view name, std::string_view help,
                                    const Labels& labels) {
    auto& series = prometheus::BuildCounter()
                       .Name(Impl::full_name(name))
                       .Help(std::string(help))
                       .Register(impl_->registry)
                       .Add(labels_of(labels));
    const std::lock_guard lock(impl_->mutex);
    auto& handle = impl_->counters[&series];
    if (!handle) handle = std::make_unique<PrometheusCounter>(series);
    return *handle;
}

Gauge& PrometheusMetrics::gauge(std::string_view name, std::string_view help,
                                const Labels& labels) {
    auto& series = prometheus::BuildGauge()
                       .Name(Impl::full_name(name))
                       .Help(std::string(help))
                       .Register(impl_->registry)
                       .Add(labels_of(labels));
    const std::lock_guard lock(impl_->mutex);
    auto& handle = impl_->gauges[&series];
    if (!handle) handle = std::make_unique<PrometheusGauge>(series);
    return *handle;
}

Histogram& PrometheusMetrics::histogram(std::string_view name, std::string_view help,
                                        const std::vector<double>& bounds, const Labels& labels) {
    auto& series = prometheus::BuildHistogram()
                       .Name(Impl::full_name(name))
                       .Help(std::string(help))
                       .Register(impl_->registry)
                       .Add(labels_of(labels), bounds);
    const std::lock_guard lock(impl_->mutex);
    auto& handle = impl_->histograms[&series];
    if (!handle) handle = std::make_unique<PrometheusHistogram>(series);
    return *handle;
}

std::string PrometheusMetrics::expose() const {
    return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace heddle::app
