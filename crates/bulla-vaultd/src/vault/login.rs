//! Logins. The order of steps here is the vault's promise:
//!
//! 1. read the records, by a read that sees every change before it;
//! 2. have the guess paid for by compare-and-swap, or find that it was;
//! 3. have enough members confirm that they hold the paid counter;
//! 4. have the evaluator mark the counter, on its disk, and only then evaluate.
//!
//! A crash between any two of them loses a guess at most. An answer that was lost is asked for
//! again with the same attempt, and then step 2 finds it paid.

use super::turns::Turns;
use super::{Vault, VaultError, sha256};
use crate::audit::Event;
use crate::evaluator::{EvaluateCall, Evaluated, FinishCall, GrantCall, Granted, Refusal, is_ke1};
use crate::record::{Account, AttemptId, RegId};
use crate::store::{Key, Versioned};

/// Whose login it is.
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
    /// Pays for a guess and evaluates it.
    ///
    /// # Errors
    ///
    /// [`VaultError`]. A guess may have been paid for all the same; the same attempt with the same
    /// KE1 is not paid for again.
    pub fn login_start(&self, login: &Login, ke1: &[u8]) -> Result<Evaluated, VaultError> {
        if !is_ke1(ke1) {
            return Err(VaultError::Malformed);
        }
        let digest = sha256(ke1);
        let mut turns = Turns::default();
        loop {
            let mut view = self.view(&mut turns, &login.account, &login.reg_id)?;
            let call = GrantCall {
                account: view.account,
                counter: view.counter.value.clone(),
                reg_id: view.reg_id,
                attempt_id: login.attempt_id,
                ke1: digest,
            };
            let answer = self.evaluator.grant(&call);
            match turns.settle(view.generation(), answer)? {
                None => continue,
                Some(Granted::Again) => {}
                Some(Granted::Paid(counter)) => {
                    let transaction =
                        view.unless_changed().put(view.counter_key(), counter.clone());
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    view.counter = Versioned { value: counter, revision };
                    self.record(&view.account, Event::Granted, &view.counter.value);
                }
                Some(Granted::Locks(counter)) => {
                    let transaction = view
                        .unless_changed()
                        .put(view.counter_key(), counter.clone())
                        .delete(view.sealed_key());
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    let counter = Versioned { value: counter, revision };
                    self.record(&view.account, Event::Locked, &counter.value);
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
            let answer = self.evaluator.evaluate(&call);
            if let Some(evaluated) = turns.settle(view.generation(), answer)? {
                return Ok(evaluated);
            }
        }
    }

    /// Checks the proof that a guess was right, gives the guesses back, and releases what was kept.
    ///
    /// # Errors
    ///
    /// [`VaultError`]. Nothing is released before the guesses that were given back are stored and
    /// confirmed.
    pub fn login_finish(
        &self,
        login: &Login,
        login_token: &[u8],
        ke3: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let mut turns = Turns::default();
        loop {
            let view = self.view(&mut turns, &login.account, &login.reg_id)?;
            let call = FinishCall {
                account: view.account,
                counter: view.counter.value.clone(),
                sealed: view.sealed_bytes(),
                reg_id: view.reg_id,
                attempt_id: login.attempt_id,
                login_token: login_token.to_vec(),
                ke3: ke3.to_vec(),
            };
            let answer = self.evaluator.finish(&call);
            if let Err(Refusal::WrongPassword { .. }) = &answer {
                self.record(&view.account, Event::Refused, &view.counter.value);
            }
            let Some(finish) = turns.settle(view.generation(), answer)? else { continue };
            let counter = match finish.change {
                None => view.counter.clone(),
                Some((value, replaced)) => {
                    let mut transaction =
                        view.unless_changed().put(view.counter_key(), value.clone());
                    if let Some(replaced) = replaced {
                        transaction = transaction.delete(Key::Sealed(view.account, replaced));
                    }
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    self.record(&view.account, Event::Proven, &value);
                    if replaced.is_some() {
                        self.record(&view.account, Event::Replaced, &value);
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
