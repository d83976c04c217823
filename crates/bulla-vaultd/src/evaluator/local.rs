//! The evaluator itself.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bulla_vault::reply::{GRANT_LEN, LoginReply, ReplyContext, WRAPPED_KEY_LEN};
use bulla_vault::suite::SESSION_KEY_LEN;
use bulla_vault::{AccountHash, AttemptId as AttemptName, RegId as RegIdName, Stretching};
use zeroize::Zeroizing;

use super::calls::*;
use super::guard::{Guard, Proven, random, sha256};
use super::ledger::Ledger;
use super::marks::Marks;
use super::opaque::{self, Opaque, Whose};
use super::{Evaluator, login_token};
use crate::hsm::Hsm;
use crate::record::sealed::Content;
use crate::record::{
    Account, Counter, Deletion, Draft, Drafting, Finished, Grant, MAX_GUESSES, Placement, Policy,
    Proof, RegId, Slot, State, clamp,
};
use crate::store::Store;

/// Says the time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// An evaluator in this process.
pub struct Local {
    hsm: Arc<dyn Hsm>,
    marks: Marks,
    policy: Policy,
    clock: Clock,
    opaque: Opaque,
    ledger: Ledger,
}

/// The system's clock.
pub fn system_clock() -> Clock {
    // A clock before 1970 is as wrong as one that stands at 1970.
    Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

impl Local {
    /// An evaluator with these keys and marks.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unavailable`] if the HSM cannot be used.
    pub fn new(
        hsm: Arc<dyn Hsm>,
        marks: Arc<dyn Store>,
        policy: Policy,
        clock: Clock,
    ) -> Result<Local, Refusal> {
        let opaque = Opaque::new(&*hsm)?;
        Ok(Local { hsm, marks: Marks(marks), policy, clock, opaque, ledger: Ledger::default() })
    }

    /// Distinct KE1 that were evaluated here for a registration since its last right guess.
    pub fn evaluated_since_proof(&self, account: &Account, reg_id: &RegId) -> usize {
        self.ledger.since_proof(account, reg_id)
    }

    fn guard(&self) -> Guard<'_> {
        Guard(&*self.hsm)
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }

    /// A counter that is authentic and not older than the mark.
    fn current(&self, account: &Account, stored: &[u8]) -> Result<Counter, Refusal> {
        let counter = self.guard().counter(account, stored)?;
        self.marks.check(&self.guard(), &counter, stored)?;
        Ok(counter)
    }

    /// The same for an account that may have none. None there is older than any mark.
    fn current_or_new(
        &self,
        account: &Account,
        stored: Option<&Stored>,
    ) -> Result<Counter, Refusal> {
        match stored {
            Some(stored) => self.current(account, stored),
            None => match self.marks.mark(&self.guard(), account)? {
                Some(mark) => Err(Refusal::Stale { newest: mark.generation }),
                None => Ok(Counter::new(*account)),
            },
        }
    }

    /// Whether a grant is that of the last login to the active registration, and fresh.
    fn speaks(&self, counter: &Counter, grant: Option<&[u8]>, now: u64) -> Result<bool, Refusal> {
        let live = counter.live.as_ref().filter(|live| live.state == State::Active);
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
        let content = Content {
            stand_in: true,
            rk: opaque::stand_in_rk(&*self.hsm, &call.account)?,
            stretching: parameters(Stretching::default()),
            upload: [0; 192],
            wrapped_key: [0; 48],
        };
        let sealed = self.guard().seal(&call.account, &call.reg_id, &content)?;
        let slot = Slot::new(call.reg_id, sha256(&[&sealed]), [0; 32], MAX_GUESSES);
        counter.generation = 1;
        counter.live = Some(Slot { state: State::Active, ..slot });
        Ok(StandIn { counter: self.guard().close(&counter)?, sealed })
    }

    fn begin(&self, call: &BeginCall) -> Result<Begun, Refusal> {
        let counter = self.current_or_new(&call.account, call.counter.as_ref())?;
        let fresh = Zeroizing::new(random::<32>()?);
        let draft = Draft {
            reg_id: call.reg_id,
            request: sha256(&[&call.request]),
            rk: self.guard().seal_rk(&call.account, &call.reg_id, &fresh)?,
        };
        let (rk, stored) = match counter.draft(&self.policy, draft) {
            Drafting::Drafted(counter) => (fresh, Some(self.guard().close(&counter)?)),
            Drafting::Again => {
                let draft = counter.draft.as_ref().ok_or(Refusal::Conflict)?;
                (self.guard().open_rk(&call.account, &call.reg_id, &draft.rk)?, None)
            }
            Drafting::Conflict => return Err(Refusal::Conflict),
            Drafting::Locked => return Err(Refusal::Locked),
        };
        let response =
            self.opaque.register(&*self.hsm, &call.account, &call.reg_id, &rk, &call.request)?;
        Ok(Begun { counter: stored, response })
    }

    fn place(&self, call: &PlaceCall) -> Result<Placed, Refusal> {
        let counter = self.current_or_new(&call.account, call.counter.as_ref())?;
        if !opaque::is_upload(&call.upload) || call.max == 0 {
            return Err(Refusal::Malformed);
        }
        // A registration may ask for fewer guesses than the vault allows, never for more.
        let max = u8::try_from(call.max).unwrap_or(MAX_GUESSES).min(MAX_GUESSES);
        let stretching = call.stretching.map(u32::to_be_bytes).concat();
        let digest =
            sha256(&[&call.upload, &call.wrapped_key, &call.max.to_be_bytes(), &stretching]);
        let said = |slot: &Slot, change| Placed {
            change,
            active: slot.state == State::Active,
            not_before: slot.due,
        };
        if let Some(slot) = counter.slot(&call.reg_id) {
            return match (slot.state, slot.content == digest) {
                (State::Locked, true) => Err(Refusal::Locked),
                (State::Active, true) => Ok(Placed { not_before: None, ..said(slot, None) }),
                (State::Pending, true) => Ok(said(slot, None)),
                (_, false) => Err(Refusal::Conflict),
            };
        }
        let draft = counter.draft.as_ref().filter(|draft| draft.reg_id == call.reg_id);
        let rk = self.guard().open_rk(
            &call.account,
            &call.reg_id,
            &draft.ok_or(Refusal::Conflict)?.rk,
        )?;
        let content = Content {
            stand_in: false,
            rk: *rk,
            stretching: call.stretching,
            upload: call.upload.as_slice().try_into().map_err(|_| Refusal::Malformed)?,
            wrapped_key: call.wrapped_key.as_slice().try_into().map_err(|_| Refusal::Malformed)?,
        };
        let sealed = self.guard().seal(&call.account, &call.reg_id, &content)?;
        let now = self.now();
        let slot = Slot::new(call.reg_id, sha256(&[&sealed]), digest, max);
        let fresh = self.speaks(&counter, call.grant.as_deref(), now)?;
        match counter.place(&self.policy, slot, fresh, now) {
            Placement::Placed { counter, replaced } => {
                let stored = self.guard().close(&counter)?;
                let slot = counter.slot(&call.reg_id).ok_or(Refusal::NoRecord)?;
                Ok(said(slot, Some(PlacedChange { counter: stored, sealed, replaced })))
            }
            Placement::Again | Placement::Conflict => Err(Refusal::Conflict),
        }
    }

    fn grant(&self, call: &GrantCall) -> Result<Granted, Refusal> {
        let counter = self.current(&call.account, &call.counter)?;
        match counter.grant(&self.policy, &call.reg_id, &call.attempt_id, &call.ke1, self.now()) {
            Grant::Again => Ok(Granted::Again),
            Grant::Granted(counter) => Ok(Granted::Paid(self.guard().close(&counter)?)),
            Grant::Locks(counter) => Ok(Granted::Locks(self.guard().close(&counter)?)),
            Grant::Locked => Err(Refusal::Locked),
            Grant::Unknown => Err(Refusal::NoRecord),
            Grant::Conflict => Err(Refusal::Conflict),
            Grant::Wait { seconds, left } => Err(Refusal::Wait { seconds, left }),
        }
    }

    fn evaluate(&self, call: &EvaluateCall) -> Result<Evaluated, Refusal> {
        let guard = self.guard();
        let counter = guard.counter(&call.account, &call.counter)?;
        let slot = counter.slot(&call.reg_id).ok_or(Refusal::NoRecord)?;
        let ke1 = sha256(&[&call.ke1]);
        let paid = slot.attempt(&call.attempt_id).filter(|attempt| attempt.ke1 == ke1);
        let attempt = paid.ok_or(Refusal::Conflict)?;
        // From here on no counter without this guess in it is taken, not even after a crash: only
        // now may it be evaluated.
        self.marks.raise(&guard, &counter, &call.counter)?;

        let (_, content) = guard.open(&call.account, &call.reg_id, &slot.sealed, &call.sealed)?;
        let last_proof = slot.finished.map_or(0, |finished| finished.attempt.generation);
        self.ledger.evaluated(&call.account, &call.reg_id, last_proof, &ke1);
        let whose =
            Whose { account: &call.account, reg_id: &call.reg_id, attempt_id: &call.attempt_id };
        let (ke2, state) = self.opaque.evaluate(&*self.hsm, &whose, &content, &call.ke1)?;
        let login_token =
            login_token::seal(&*self.hsm, &call.account, &call.reg_id, attempt, &state)?;
        Ok(Evaluated { ke2, login_token, left: slot.left, stretching: content.stretching })
    }

    fn finish(&self, call: &FinishCall) -> Result<Finish, Refusal> {
        let counter = self.current(&call.account, &call.counter)?;
        let slot = counter.slot(&call.reg_id).ok_or(Refusal::NoRecord)?;
        if slot.state == State::Locked {
            return Err(Refusal::Locked);
        }
        let finished = slot.finished.map(|finished| finished.attempt);
        let known = slot.attempt(&call.attempt_id).copied().or(finished);
        let attempt =
            known.filter(|attempt| attempt.id == call.attempt_id).ok_or(Refusal::Conflict)?;
        let state = login_token::open(
            &*self.hsm,
            &call.account,
            &call.reg_id,
            &attempt,
            &call.login_token,
        )?;
        let whose =
            Whose { account: &call.account, reg_id: &call.reg_id, attempt_id: &call.attempt_id };
        let session_key = self.opaque.finish(&whose, &state, &call.ke3)?;
        let session_key = session_key.ok_or(Refusal::WrongPassword { left: slot.left })?;

        let (change, counter, finished) =
            match counter.prove(&self.policy, &call.reg_id, &call.attempt_id, self.now()) {
                Proof::Again(finished) => (None, Box::new(counter), finished),
                Proof::Proven { counter, finished, replaced } => {
                    (Some((self.guard().close(&counter)?, replaced)), counter, finished)
                }
                Proof::Locked => return Err(Refusal::Locked),
                Proof::Unknown => return Err(Refusal::NoRecord),
                Proof::Conflict => return Err(Refusal::Conflict),
            };
        let digest = counter.slot(&call.reg_id).ok_or(Refusal::NoRecord)?.sealed;
        let (_, content) = self.guard().open(&call.account, &call.reg_id, &digest, &call.sealed)?;
        let reply = self.reply(call, &counter, &finished, &content.wrapped_key, &session_key)?;
        Ok(Finish { change, reply })
    }

    fn delete(&self, call: &DeleteCall) -> Result<Deleted, Refusal> {
        let counter = self.current(&call.account, &call.counter)?;
        let now = self.now();
        let fresh = self.speaks(&counter, call.grant.as_deref(), now)?;
        Ok(match counter.delete(&self.policy, &call.reg_id, fresh, now) {
            Deletion::Gone => Deleted::Gone,
            Deletion::Deleted(counter) => Deleted::Deleted(self.guard().close(&counter)?),
            Deletion::Announced(counter, due) => {
                Deleted::Announced(self.guard().close(&counter)?, due)
            }
            Deletion::Waits(due) => Deleted::Waits(due),
        })
    }

    fn observe(&self, call: &ObserveCall) -> Result<Observed, Refusal> {
        let counter = self.guard().counter(&call.account, &call.counter)?;
        match self.marks.raise(&self.guard(), &counter, &call.counter) {
            // A newer one was seen already.
            Ok(()) | Err(Refusal::Stale { .. }) => Ok(Observed),
            Err(refusal) => Err(refusal),
        }
    }

    fn reseal(&self, call: &ResealCall) -> Result<Resealed, Refusal> {
        let mut counter = self.current(&call.account, &call.counter)?;
        let newest = self.guard().newest_epoch()?;
        let mut resealed = Vec::new();
        for slot in counter
            .live
            .iter_mut()
            .chain(&mut counter.pending)
            .filter(|slot| slot.state != State::Locked)
        {
            let sealed = call.sealed.iter().find(|(reg_id, _)| *reg_id == slot.reg_id);
            let (_, sealed) = sealed.ok_or(Refusal::Tampered)?;
            let (epoch, content) =
                self.guard().open(&call.account, &slot.reg_id, &slot.sealed, sealed)?;
            if epoch != newest {
                let sealed = self.guard().seal(&call.account, &slot.reg_id, &content)?;
                slot.sealed = sha256(&[&sealed]);
                resealed.push((slot.reg_id, sealed));
            }
        }
        if resealed.is_empty() {
            return Ok(Resealed { change: None });
        }
        counter.generation += 1;
        Ok(Resealed { change: Some((self.guard().close(&counter)?, resealed)) })
    }

    fn clamp(&self, call: &ClampCall) -> Result<Clamped, Refusal> {
        let Some(mark) = self.marks.mark(&self.guard(), &call.account)? else {
            return Ok(Clamped { change: None });
        };
        let restored = match &call.counter {
            Some(stored) => self.guard().counter(&call.account, stored)?,
            None => Counter::new(call.account),
        };
        let same = call.counter.as_ref().is_some_and(|stored| {
            restored.generation > mark.generation
                || self.marks.check(&self.guard(), &restored, stored).is_ok()
        });
        if same {
            return Ok(Clamped { change: None });
        }
        let (counter, lost) = clamp(&restored, &mark);
        Ok(Clamped { change: Some((self.guard().close(&counter)?, lost)) })
    }

    fn marked(&self, call: &MarkedCall) -> Result<Marked, Refusal> {
        self.marks.accounts(call.after.as_ref()).map(Marked)
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
    /// What a right guess gets, under the session key.
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
            .map_err(|_| Refusal::Unavailable("the system has no random numbers".to_owned()))
    }
}

fn proven(finished: &Finished) -> Proven {
    Proven {
        at: finished.at,
        attempt_id: finished.attempt.id,
        generation: finished.attempt.generation,
    }
}

/// A cost as it is kept in a sealed record.
fn parameters(stretching: Stretching) -> [u32; 3] {
    let cost = stretching.cost();
    [cost.passes(), cost.memory_kib(), cost.lanes()]
}
