//! The state that all requests share.

use tokio::sync::Semaphore;

use super::limits::Limits;
use super::metrics::Metrics;
use crate::evaluator::{AboutCall, Clock};
use crate::tokens::Tenants;
use crate::vault::Vault;

/// Maximum number of requests in progress. Other requests wait.
const MAX_IN_FLIGHT: usize = 64;

/// The state shared by all requests.
pub struct Service {
    pub(super) vault: Vault,
    pub(super) tenants: Tenants,
    pub(super) limits: Limits,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    pub(super) public_key: [u8; 32],
    pub(super) in_flight: Semaphore,
}

impl Service {
    /// Creates a service for a vault.
    ///
    /// # Errors
    ///
    /// Returns a message if the evaluator is unreachable.
    pub fn new(
        vault: Vault,
        tenants: Tenants,
        limits: Limits,
        clock: Clock,
    ) -> Result<Service, String> {
        let public_key = vault.evaluator().about(&AboutCall).map_err(|e| e.to_string())?.public_key;
        let metrics = Metrics::new().map_err(|e| e.to_string())?;
        Ok(Service {
            vault,
            tenants,
            limits,
            metrics,
            clock,
            public_key,
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
        })
    }

    /// Returns the vault's public key, which clients pin.
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }
}
