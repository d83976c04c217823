//! Logins. The guess limit depends on the order of these steps:
//!
//! 1. Read the records with a linearizable read.
//! 2. Spend the guess by compare-and-swap, or find that this attempt has already spent one.
//! 3. Confirm that enough members hold the counter with the spent guess.
//! 4. Raise the evaluator's watermark to that counter, durably, and only then evaluate.
//!
//! A crash between any two steps loses at most one guess (V-8.4). If the reply is lost, the client
//! repeats the attempt, and step 2 finds that the guess is already spent.

use super::retries::Retries;
use super::{Vault, VaultError, sha256};
use crate::audit::AuditEvent;
use crate::evaluator::{EvaluateCall, Evaluated, FinishCall, GrantCall, Granted, Refusal, is_ke1};
use crate::record::{Account, AttemptId, RegId};
use crate::store::{RecordKey, Versioned};

/// A login's account, registration and attempt.
#[derive(Debug, Clone, Copy)]
pub struct Login {
    /// The account.
    pub account: Account,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
}

impl Vault {
    /// Spends a guess and evaluates it.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if the vault refuses the call or fails. A guess may have been spent
    /// even so. Repeating the attempt with the same KE1 does not spend another guess.
    pub fn login_start(&self, login: &Login, ke1: &[u8]) -> Result<Evaluated, VaultError> {
        if !is_ke1(ke1) {
            return Err(VaultError::Malformed);
        }
        let digest = sha256(ke1);
        let mut retries = Retries::default();
        loop {
            let mut view = self.view(&mut retries, &login.account, &login.reg_id)?;
            let call = GrantCall {
                account: view.account,
                counter: view.counter.value.clone(),
                reg_id: view.reg_id,
                attempt_id: login.attempt_id,
                ke1: digest,
            };
            let response = self.evaluator.grant(&call);
            match retries.unless_stale(view.generation(), response)? {
                None => continue,
                Some(Granted::Repeated) => {}
                Some(Granted::Spent(counter)) => {
                    let transaction =
                        view.unless_changed().put(view.counter_key(), counter.clone());
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    view.counter = Versioned { value: counter, revision };
                    self.record(&view.account, AuditEvent::Granted, &view.counter.value);
                }
                Some(Granted::Locks(counter)) => {
                    let transaction = view
                        .unless_changed()
                        .put(view.counter_key(), counter.clone())
                        .delete(view.sealed_key());
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    let counter = Versioned { value: counter, revision };
                    self.record(&view.account, AuditEvent::Locked, &counter.value);
                    self.confirm(&view.account, &counter)?;
                    self.observe(&view.account, &counter)?;
                    return Err(VaultError::Locked);
                }
            }
            if !self.confirm(&view.account, &view.counter)? {
                continue;
            }
            let call = EvaluateCall {
                account: view.account,
                counter: view.counter.value.clone(),
                sealed: view.sealed_bytes(),
                reg_id: view.reg_id,
                attempt_id: login.attempt_id,
                ke1: ke1.to_vec(),
            };
            let response = self.evaluator.evaluate(&call);
            if let Some(evaluated) = retries.unless_stale(view.generation(), response)? {
                return Ok(evaluated);
            }
        }
    }

    /// Checks the proof of a guess, resets the number of guesses left, and returns the sealed
    /// reply.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if the proof is wrong, or if the vault refuses the call or fails.
    /// Nothing is released before the reset counter is stored and confirmed.
    pub fn login_finish(
        &self,
        login: &Login,
        login_token: &[u8],
        ke3: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let mut retries = Retries::default();
        loop {
            let view = self.view(&mut retries, &login.account, &login.reg_id)?;
            let call = FinishCall {
                account: view.account,
                counter: view.counter.value.clone(),
                sealed: view.sealed_bytes(),
                reg_id: view.reg_id,
                attempt_id: login.attempt_id,
                login_token: login_token.to_vec(),
                ke3: ke3.to_vec(),
            };
            let response = self.evaluator.finish(&call);
            if let Err(Refusal::WrongPassword { .. }) = &response {
                self.record(&view.account, AuditEvent::Refused, &view.counter.value);
            }
            let Some(finish) = retries.unless_stale(view.generation(), response)? else { continue };
            let counter = match finish.change {
                None => view.counter.clone(),
                Some((value, replaced)) => {
                    let mut transaction =
                        view.unless_changed().put(view.counter_key(), value.clone());
                    if let Some(replaced) = replaced {
                        transaction = transaction.delete(RecordKey::Sealed(view.account, replaced));
                    }
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    self.record(&view.account, AuditEvent::Proven, &value);
                    if replaced.is_some() {
                        self.record(&view.account, AuditEvent::Replaced, &value);
                    }
                    Versioned { value, revision }
                }
            };
            if self.confirm(&view.account, &counter)? {
                self.observe(&view.account, &counter)?;
                return Ok(finish.reply);
            }
        }
    }
}
