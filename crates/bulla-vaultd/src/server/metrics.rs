//! Metrics for Prometheus. They contain nothing about individual accounts.

use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// A server's metrics.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    evaluations: IntGauge,
    distinct: IntGauge,
}

impl Metrics {
    /// Creates metrics that are all zero.
    ///
    /// # Errors
    ///
    /// Returns [`prometheus::Error`] if a name is invalid or taken.
    pub(crate) fn new() -> Result<Metrics, prometheus::Error> {
        let requests = Opts::new("bulla_vault_requests_total", "Requests by call and HTTP status.");
        let seconds = HistogramOpts::new("bulla_vault_request_seconds", "Response time by call.")
            .buckets(vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
        let metrics = Metrics {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &["call", "status"])?,
            seconds: HistogramVec::new(seconds, &["call"])?,
            evaluations: IntGauge::new(
                "bulla_vault_evaluations",
                "Guesses evaluated since the evaluator started.",
            )?,
            distinct: IntGauge::new(
                "bulla_vault_evaluations_distinct",
                "Guesses evaluated with a KE1 that was new since the last correct guess.",
            )?,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.evaluations.clone()))?;
        metrics.registry.register(Box::new(metrics.distinct.clone()))?;
        Ok(metrics)
    }

    /// Records a response.
    pub(crate) fn record_response(&self, call: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[call, status.to_string().as_str()]).inc();
        self.seconds.with_label_values(&[call]).observe(took.as_secs_f64());
    }

    /// Sets the evaluator's counts.
    pub(crate) fn set_evaluations(&self, evaluations: u64, distinct: u64) {
        self.evaluations.set(i64::try_from(evaluations).unwrap_or(i64::MAX));
        self.distinct.set(i64::try_from(distinct).unwrap_or(i64::MAX));
    }

    /// Returns all metrics in the Prometheus text format.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "failed to encode metrics");
        }
        text
    }
}
