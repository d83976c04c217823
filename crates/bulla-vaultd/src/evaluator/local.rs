//! The evaluator itself, which runs in the process that calls it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bulla_vault::reply::{GRANT_LEN, LoginReply, ReplyContext, WRAPPED_KEY_LEN};
use bulla_vault::suite::SESSION_KEY_LEN;
use bulla_vault::{AccountHash, AttemptId as AttemptName, RegId as RegIdName, Stretching};
use zeroize::Zeroizing;

use super::calls::*;
use super::guard::{Guard, Proven, random, sha256};
use super::ledger::Ledger;
use super::opaque::{self, LoginRef, Opaque};
use super::watermarks::Watermarks;
use super::{Evaluator, login_token};
use crate::hsm::Hsm;
use crate::record::sealed::RecordContent;
use crate::record::{
    Account, Counter, DeleteOutcome, DraftOutcome, Finished, GrantOutcome, MAX_GUESSES, Policy,
    ProofOutcome, RegId, RegisterOutcome, Registration, RegistrationDraft, RegistrationState,
    clamp,
};
use crate::store::Store;

/// A function that returns the current Unix time in seconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// An evaluator in this process.
pub struct Local {
    hsm: Arc<dyn Hsm>,
    watermarks: Watermarks,
    policy: Policy,
    clock: Clock,
    opaque: Opaque,
    ledger: Ledger,
}

/// Returns the system clock.
pub fn system_clock() -> Clock {
    // A clock set before 1970 is treated as if it were set to 1970. Both times are wrong.
    Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

impl Local {
    /// Creates an evaluator that uses this HSM and these watermarks.
    ///
    /// # Errors
    ///
    /// Returns [`Refusal::Unavailable`] if the HSM fails.
    pub fn new(
        hsm: Arc<dyn Hsm>,
        watermarks: Arc<dyn Store>,
        policy: Policy,
        clock: Clock,
    ) -> Result<Local, Refusal> {
        let opaque = Opaque::new(&*hsm)?;
        Ok(Local {
            hsm,
            watermarks: Watermarks(watermarks),
            policy,
            clock,
            opaque,
            ledger: Ledger::default(),
        })
    }

    /// Returns the number of distinct KE1 messages evaluated for a registration since its last
    /// correct guess.
    pub fn evaluated_since_proof(&self, account: &Account, reg_id: &RegId) -> usize {
        self.ledger.since_proof(account, reg_id)
    }

    fn guard(&self) -> Guard<'_> {
        Guard(&*self.hsm)
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Verifies a counter, and checks that it is not older than the watermark.
    fn current(&self, account: &Account, stored: &[u8]) -> Result<Counter, Refusal> {
        let counter = self.guard().counter(account, stored)?;
        self.watermarks.check(&self.guard(), &counter, stored)?;
        Ok(counter)
    }

    /// Does the same as [`current`](Self::current), but for an account that may have no counter
    /// yet. A missing counter is older than any watermark.
    fn current_or_new(
        &self,
        account: &Account,
        stored: Option<&RecordBytes>,
    ) -> Result<Counter, Refusal> {
        match stored {
            Some(stored) => self.current(account, stored),
            None => match self.watermarks.get(&self.guard(), account)? {
                Some(watermark) => Err(Refusal::Stale { newest: watermark.generation }),
                None => Ok(Counter::new(*account)),
            },
        }
    }

    /// Returns whether `grant` comes from the last login to the active registration and is still
    /// fresh.
    fn is_fresh_grant(
        &self,
        counter: &Counter,
        grant: Option<&[u8]>,
        now: u64,
    ) -> Result<bool, Refusal> {
        let live = counter.live.as_ref().filter(|live| live.state == RegistrationState::Active);
        let (Some(grant), Some(live)) = (grant, live) else { return Ok(false) };
        let Some(finished) = live.finished else { return Ok(false) };
        let fresh = finished.at <= now && now - finished.at <= self.policy.fresh;
        let proven = proven(&finished);
        Ok(self.guard().is_login_grant(grant, &counter.account, &live.reg_id, &proven)? && fresh)
    }
}

impl Evaluator for Local {
    fn about(&self, _: &AboutCall) -> Result<About, Refusal> {
        let (evaluations, distinct) = self.ledger.totals();
        Ok(About {
            public_key: self.opaque.public_key(),
            epochs: self.hsm.epochs()?,
            evaluations,
            distinct,
        })
    }

    fn stand_in(&self, call: &StandInCall) -> Result<StandIn, Refusal> {
        let mut counter = self.current_or_new(&call.account, None)?;
        let content = RecordContent {
            stand_in: true,
            rk: opaque::stand_in_rk(&*self.hsm, &call.account)?,
            stretching: parameters(Stretching::default()),
            upload: [0; 192],
            wrapped_key: [0; 48],
        };
        let sealed = self.guard().seal(&call.account, &call.reg_id, &content)?;
        let registration = Registration::new(call.reg_id, sha256(&[&sealed]), [0; 32], MAX_GUESSES);
        counter.generation = 1;
        counter.live = Some(Registration { state: RegistrationState::Active, ..registration });
        Ok(StandIn { counter: self.guard().authenticate(&counter)?, sealed })
    }

    fn begin(&self, call: &BeginCall) -> Result<Begun, Refusal> {
        let counter = self.current_or_new(&call.account, call.counter.as_ref())?;
        let fresh = Zeroizing::new(random::<32>()?);
        let draft = RegistrationDraft {
            reg_id: call.reg_id,
            request: sha256(&[&call.request]),
            rk: self.guard().seal_rk(&call.account, &call.reg_id, &fresh)?,
        };
        let (rk, stored) = match counter.draft(&self.policy, draft) {
            DraftOutcome::Drafted(counter) => (fresh, Some(self.guard().authenticate(&counter)?)),
            DraftOutcome::Repeated => {
                let draft = counter.draft.as_ref().ok_or(Refusal::Conflict)?;
                (self.guard().open_rk(&call.account, &call.reg_id, &draft.rk)?, None)
            }
            DraftOutcome::Conflict => return Err(Refusal::Conflict),
            DraftOutcome::Locked => return Err(Refusal::Locked),
        };
        let response = self.opaque.registration_response(
            &*self.hsm,
            &call.account,
            &call.reg_id,
            &rk,
            &call.request,
        )?;
        Ok(Begun { counter: stored, response })
    }

    fn register(&self, call: &RegisterCall) -> Result<Registered, Refusal> {
        let counter = self.current_or_new(&call.account, call.counter.as_ref())?;
        if !opaque::is_upload(&call.upload) || call.max == 0 {
            return Err(Refusal::Malformed);
        }
        // A registration may have fewer guesses than the vault allows, but not more (V-4.3).
        let max = u8::try_from(call.max).unwrap_or(MAX_GUESSES).min(MAX_GUESSES);
        let stretching = call.stretching.map(u32::to_be_bytes).concat();
        let digest =
            sha256(&[&call.upload, &call.wrapped_key, &call.max.to_be_bytes(), &stretching]);
        let registered = |registration: &Registration, change| Registered {
            change,
            active: registration.state == RegistrationState::Active,
            not_before: registration.due,
        };
        if let Some(registration) = counter.registration(&call.reg_id) {
            return match (registration.state, registration.content == digest) {
                (RegistrationState::Locked, true) => Err(Refusal::Locked),
                (RegistrationState::Active, true) => {
                    Ok(Registered { not_before: None, ..registered(registration, None) })
                }
                (RegistrationState::Pending, true) => Ok(registered(registration, None)),
                (_, false) => Err(Refusal::Conflict),
            };
        }
        let draft = counter.draft.as_ref().filter(|draft| draft.reg_id == call.reg_id);
        let rk = self.guard().open_rk(
            &call.account,
            &call.reg_id,
            &draft.ok_or(Refusal::Conflict)?.rk,
        )?;
        let content = RecordContent {
            stand_in: false,
            rk: *rk,
            stretching: call.stretching,
            upload: call.upload.as_slice().try_into().map_err(|_| Refusal::Malformed)?,
            wrapped_key: call.wrapped_key.as_slice().try_into().map_err(|_| Refusal::Malformed)?,
        };
        let sealed = self.guard().seal(&call.account, &call.reg_id, &content)?;
        let now = self.now();
        let registration = Registration::new(call.reg_id, sha256(&[&sealed]), digest, max);
        let fresh = self.is_fresh_grant(&counter, call.grant.as_deref(), now)?;
        match counter.register(&self.policy, registration, fresh, now) {
            RegisterOutcome::Registered { counter, replaced } => {
                let stored = self.guard().authenticate(&counter)?;
                let registration = counter.registration(&call.reg_id).ok_or(Refusal::NoRecord)?;
                Ok(registered(
                    registration,
                    Some(RegisteredChange { counter: stored, sealed, replaced }),
                ))
            }
            RegisterOutcome::Repeated | RegisterOutcome::Conflict => Err(Refusal::Conflict),
        }
    }

    fn grant(&self, call: &GrantCall) -> Result<Granted, Refusal> {
        let counter = self.current(&call.account, &call.counter)?;
        match counter.grant(&self.policy, &call.reg_id, &call.attempt_id, &call.ke1, self.now()) {
            GrantOutcome::Repeated => Ok(Granted::Repeated),
            GrantOutcome::Granted(counter) => {
                Ok(Granted::Spent(self.guard().authenticate(&counter)?))
            }
            GrantOutcome::Locks(counter) => {
                Ok(Granted::Locks(self.guard().authenticate(&counter)?))
            }
            GrantOutcome::Locked => Err(Refusal::Locked),
            GrantOutcome::Unknown => Err(Refusal::NoRecord),
            GrantOutcome::Conflict => Err(Refusal::Conflict),
            GrantOutcome::Wait { seconds, left } => Err(Refusal::Wait { seconds, left }),
        }
    }

    fn evaluate(&self, call: &EvaluateCall) -> Result<Evaluated, Refusal> {
        let guard = self.guard();
        let counter = guard.counter(&call.account, &call.counter)?;
        let registration = counter.registration(&call.reg_id).ok_or(Refusal::NoRecord)?;
        let ke1 = sha256(&[&call.ke1]);
        let paid = registration.attempt(&call.attempt_id).filter(|attempt| attempt.ke1 == ke1);
        let attempt = paid.ok_or(Refusal::Conflict)?;
        // From here on, every counter without this guess is refused, even after a crash. Only now
        // may the guess be evaluated (V-8.2).
        self.watermarks.raise(&guard, &counter, &call.counter)?;

        let (_, content) =
            guard.open(&call.account, &call.reg_id, &registration.sealed, &call.sealed)?;
        let last_proof = registration.finished.map_or(0, |finished| finished.attempt.generation);
        self.ledger.evaluated(&call.account, &call.reg_id, last_proof, &ke1);
        let login =
            LoginRef { account: &call.account, reg_id: &call.reg_id, attempt_id: &call.attempt_id };
        let (ke2, state) = self.opaque.evaluate(&*self.hsm, &login, &content, &call.ke1)?;
        let login_token =
            login_token::seal(&*self.hsm, &call.account, &call.reg_id, attempt, &state)?;
        Ok(Evaluated { ke2, login_token, left: registration.left, stretching: content.stretching })
    }

    fn finish(&self, call: &FinishCall) -> Result<Finish, Refusal> {
        let counter = self.current(&call.account, &call.counter)?;
        let registration = counter.registration(&call.reg_id).ok_or(Refusal::NoRecord)?;
        if registration.state == RegistrationState::Locked {
            return Err(Refusal::Locked);
        }
        let finished = registration.finished.map(|finished| finished.attempt);
        let known = registration.attempt(&call.attempt_id).copied().or(finished);
        let attempt =
            known.filter(|attempt| attempt.id == call.attempt_id).ok_or(Refusal::Conflict)?;
        let state = login_token::open(
            &*self.hsm,
            &call.account,
            &call.reg_id,
            &attempt,
            &call.login_token,
        )?;
        let login =
            LoginRef { account: &call.account, reg_id: &call.reg_id, attempt_id: &call.attempt_id };
        let session_key = self.opaque.finish(&login, &state, &call.ke3)?;
        let session_key = session_key.ok_or(Refusal::WrongPassword { left: registration.left })?;

        let (change, counter, finished) =
            match counter.prove(&self.policy, &call.reg_id, &call.attempt_id, self.now()) {
                ProofOutcome::Repeated(finished) => (None, Box::new(counter), finished),
                ProofOutcome::Proven { counter, finished, replaced } => {
                    (Some((self.guard().authenticate(&counter)?, replaced)), counter, finished)
                }
                ProofOutcome::Locked => return Err(Refusal::Locked),
                ProofOutcome::Unknown => return Err(Refusal::NoRecord),
                ProofOutcome::Conflict => return Err(Refusal::Conflict),
            };
        let digest = counter.registration(&call.reg_id).ok_or(Refusal::NoRecord)?.sealed;
        let (_, content) = self.guard().open(&call.account, &call.reg_id, &digest, &call.sealed)?;
        let reply = self.reply(call, &counter, &finished, &content.wrapped_key, &session_key)?;
        Ok(Finish { change, reply })
    }

    fn delete(&self, call: &DeleteCall) -> Result<Deleted, Refusal> {
        let counter = self.current(&call.account, &call.counter)?;
        let now = self.now();
        let fresh = self.is_fresh_grant(&counter, call.grant.as_deref(), now)?;
        Ok(match counter.delete(&self.policy, &call.reg_id, fresh, now) {
            DeleteOutcome::Gone => Deleted::Gone,
            DeleteOutcome::Deleted(counter) => {
                Deleted::Deleted(self.guard().authenticate(&counter)?)
            }
            DeleteOutcome::Announced(counter, due) => {
                Deleted::Announced(self.guard().authenticate(&counter)?, due)
            }
            DeleteOutcome::Waits(due) => Deleted::Waits(due),
        })
    }

    fn observe(&self, call: &ObserveCall) -> Result<Observed, Refusal> {
        let counter = self.guard().counter(&call.account, &call.counter)?;
        match self.watermarks.raise(&self.guard(), &counter, &call.counter) {
            // The evaluator has already observed a newer counter.
            Ok(()) | Err(Refusal::Stale { .. }) => Ok(Observed),
            Err(refusal) => Err(refusal),
        }
    }

    fn reseal(&self, call: &ResealCall) -> Result<Resealed, Refusal> {
        let mut counter = self.current(&call.account, &call.counter)?;
        let newest = self.guard().newest_epoch()?;
        let mut resealed = Vec::new();
        for registration in counter
            .live
            .iter_mut()
            .chain(&mut counter.pending)
            .filter(|registration| registration.state != RegistrationState::Locked)
        {
            let sealed = call.sealed.iter().find(|(reg_id, _)| *reg_id == registration.reg_id);
            let (_, sealed) = sealed.ok_or(Refusal::Tampered)?;
            let (epoch, content) = self.guard().open(
                &call.account,
                &registration.reg_id,
                &registration.sealed,
                sealed,
            )?;
            if epoch != newest {
                let sealed = self.guard().seal(&call.account, &registration.reg_id, &content)?;
                registration.sealed = sha256(&[&sealed]);
                resealed.push((registration.reg_id, sealed));
            }
        }
        if resealed.is_empty() {
            return Ok(Resealed { change: None });
        }
        counter.generation += 1;
        Ok(Resealed { change: Some((self.guard().authenticate(&counter)?, resealed)) })
    }

    fn clamp(&self, call: &ClampCall) -> Result<Clamped, Refusal> {
        let Some(watermark) = self.watermarks.get(&self.guard(), &call.account)? else {
            return Ok(Clamped { change: None });
        };
        let restored = match &call.counter {
            Some(stored) => self.guard().counter(&call.account, stored)?,
            None => Counter::new(call.account),
        };
        let same = call.counter.as_ref().is_some_and(|stored| {
            restored.generation > watermark.generation
                || self.watermarks.check(&self.guard(), &restored, stored).is_ok()
        });
        if same {
            return Ok(Clamped { change: None });
        }
        let (counter, lost) = clamp(&restored, &watermark);
        Ok(Clamped { change: Some((self.guard().authenticate(&counter)?, lost)) })
    }

    fn watermarked(&self, call: &WatermarkedCall) -> Result<Watermarked, Refusal> {
        self.watermarks.accounts(call.after.as_ref()).map(Watermarked)
    }

    fn epoch(&self, call: &EpochCall) -> Result<Epochs, Refusal> {
        match call {
            EpochCall::Begin => _ = self.hsm.new_epoch()?,
            EpochCall::RetireBefore(newest) => {
                for epoch in self.hsm.epochs()?.into_iter().filter(|epoch| epoch < newest) {
                    self.hsm.destroy_epoch(epoch)?;
                }
            }
        }
        Ok(Epochs(self.hsm.epochs()?))
    }
}

impl Local {
    /// Seals the reply to a correct guess under the session key.
    fn reply(
        &self,
        call: &FinishCall,
        counter: &Counter,
        finished: &Finished,
        wrapped_key: &[u8; WRAPPED_KEY_LEN],
        session_key: &[u8; SESSION_KEY_LEN],
    ) -> Result<Vec<u8>, Refusal> {
        let grant: [u8; GRANT_LEN] =
            self.guard().login_grant(&call.account, &call.reg_id, &proven(finished))?;
        let reply = LoginReply {
            wrapped_key: *wrapped_key,
            failures: finished.failures,
            lifetime_failures: counter.failures,
            grant: Zeroizing::new(grant),
        };
        let context = ReplyContext {
            account: AccountHash::from_bytes(call.account),
            reg_id: RegIdName::from_bytes(call.reg_id),
            attempt_id: AttemptName::from_bytes(call.attempt_id),
        };
        let sealed = reply.seal(session_key, &context);
        sealed
            .map(Vec::from)
            .map_err(|_| Refusal::Unavailable("operating system: no random numbers".to_owned()))
    }
}

fn proven(finished: &Finished) -> Proven {
    Proven {
        at: finished.at,
        attempt_id: finished.attempt.id,
        generation: finished.attempt.generation,
    }
}

/// Returns a cost in the form that a sealed record uses.
fn parameters(stretching: Stretching) -> [u32; 3] {
    let cost = stretching.cost();
    [cost.passes(), cost.memory_kib(), cost.lanes()]
}
