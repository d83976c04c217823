//! What the server counts, for Prometheus. Nothing of an account is in it.

use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// The server's figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    evaluations: IntGauge,
    distinct: IntGauge,
}

impl Metrics {
    /// Figures that are all zero.
    ///
    /// # Errors
    ///
    /// [`prometheus::Error`], for a name that is taken.
    pub(crate) fn new() -> Result<Metrics, prometheus::Error> {
        let requests = Opts::new("bulla_vault_requests_total", "Requests by call and HTTP status.");
        let seconds = HistogramOpts::new("bulla_vault_request_seconds", "Time to answer, by call.")
            .buckets(vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
        let metrics = Metrics {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &["call", "status"])?,
            seconds: HistogramVec::new(seconds, &["call"])?,
            evaluations: IntGauge::new(
                "bulla_vault_evaluations",
                "Guesses that the evaluator has evaluated since it was started.",
            )?,
            distinct: IntGauge::new(
                "bulla_vault_evaluations_distinct",
                "Those of a KE1 that was new since the last right guess.",
            )?,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.evaluations.clone()))?;
        metrics.registry.register(Box::new(metrics.distinct.clone()))?;
        Ok(metrics)
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, call: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[call, status.to_string().as_str()]).inc();
        self.seconds.with_label_values(&[call]).observe(took.as_secs_f64());
    }

    /// Takes over what the evaluator has counted.
    pub(crate) fn evaluated(&self, evaluations: u64, distinct: u64) {
        self.evaluations.set(i64::try_from(evaluations).unwrap_or(i64::MAX));
        self.distinct.set(i64::try_from(distinct).unwrap_or(i64::MAX));
    }

    /// All of it, in Prometheus' text format.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "figures cannot be written");
        }
        text
    }
}
