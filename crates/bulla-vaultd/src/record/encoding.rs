//! A counter as bytes. The MAC comes after them.
//!
//! ```text
//!   0  "BCTR" 1 0 0 0      kind and version
//!   8  account             32
//!  40  generation           8
//!  48  failures             4
//!  52  draft is there       4   0 or 1
//!  56  live slot          768
//! 824  pending slot       768
//! 1592 draft              128   reg_id 32, request 32, sealed rk 64
//!
//! slot:
//!   0  state                1   0 none, 1 PENDING, 2 ACTIVE, 3 LOCKED
//!   1  max, left, attempts  3
//!   4  finished             1   0 or 1
//!   5  due is set           1   0 or 1
//!   6  zeros                2
//!   8  reg_id              32
//!  40  sealed              32
//!  72  content             32
//! 104  last grant           8
//! 112  due                  8
//! 120  finished attempt    56, failures 4, zeros 4, at 8
//! 192  attempts       10 × 56: id 16, ke1 32, generation 8
//! 752  failures             4
//! 756  zeros               12
//! ```

use super::codec::{Reader, Writer};
use super::counter::DRAFT_RK_LEN;
use super::{Attempt, Counter, DecodeError, Draft, Finished, MAX_GUESSES, Slot, State};

const MAGIC: [u8; 8] = *b"BCTR\x01\0\0\0";
const ATTEMPT_LEN: usize = 56;
const FINISHED_LEN: usize = ATTEMPT_LEN + 16;
const SLOT_LEN: usize = 768;
const DRAFT_LEN: usize = 32 + 32 + DRAFT_RK_LEN;
const SLOT_RESERVED: usize = SLOT_LEN - 120 - FINISHED_LEN - MAX_GUESSES as usize * ATTEMPT_LEN - 4;

/// Bytes in an encoded counter, before its MAC.
pub const COUNTER_BODY_LEN: usize = 56 + 2 * SLOT_LEN + DRAFT_LEN;

/// A counter's bytes, always [`COUNTER_BODY_LEN`] of them.
pub fn encode_counter(counter: &Counter) -> Vec<u8> {
    let mut writer = Writer::with_capacity(COUNTER_BODY_LEN + 32);
    writer.bytes(&MAGIC).bytes(&counter.account).u64(counter.generation).u32(counter.failures);
    writer.u32(counter.draft.is_some().into());
    for slot in [&counter.live, &counter.pending] {
        match slot {
            Some(slot) => encode_slot(&mut writer, slot),
            None => _ = writer.zeros(SLOT_LEN),
        }
    }
    match &counter.draft {
        Some(draft) => _ = writer.bytes(&draft.reg_id).bytes(&draft.request).bytes(&draft.rk),
        None => _ = writer.zeros(DRAFT_LEN),
    }
    writer.finish()
}

/// The counter that bytes say.
///
/// # Errors
///
/// [`DecodeError`], for everything that [`encode_counter`] does not write, and for a counter that
/// cannot be raised: no account comes to its last generation, and none would be above it.
pub fn decode_counter(bytes: &[u8]) -> Result<Counter, DecodeError> {
    let mut reader = Reader::exactly(bytes, COUNTER_BODY_LEN)?;
    if reader.array()? != MAGIC {
        return Err(DecodeError::UnknownVersion);
    }
    let account = reader.array()?;
    let generation_at = reader.malformed();
    let generation = reader.u64()?;
    if generation == u64::MAX {
        return Err(generation_at);
    }
    let failures = reader.u32()?;
    let drafted_at = reader.malformed();
    let drafted = reader.u32()?;
    if drafted > 1 {
        return Err(drafted_at);
    }
    let live_at = reader.malformed();
    let live = decode_slot(&mut reader)?;
    let pending_at = reader.malformed();
    let pending = decode_slot(&mut reader)?;
    // Only a LOCKED slot may stand on either side.
    if live.as_ref().is_some_and(|slot| slot.state == State::Pending) {
        return Err(live_at);
    }
    if pending.as_ref().is_some_and(|slot| slot.state == State::Active) {
        return Err(pending_at);
    }
    if let (Some(live), Some(pending)) = (&live, &pending)
        && live.reg_id == pending.reg_id
    {
        return Err(pending_at);
    }
    let draft = flagged(drafted as u8, &mut reader, DRAFT_LEN, |reader| {
        Ok(Draft { reg_id: reader.array()?, request: reader.array()?, rk: reader.array()? })
    })?;
    Ok(Counter { account, generation, failures, live, pending, draft })
}

fn encode_slot(writer: &mut Writer, slot: &Slot) {
    let state = match slot.state {
        State::Pending => 1,
        State::Active => 2,
        State::Locked => 3,
    };
    let attempts = slot.attempts.len();
    writer.bytes(&[state, slot.max, slot.left, attempts as u8]);
    writer.u8(slot.finished.is_some().into()).u8(slot.due.is_some().into()).zeros(2);
    writer.bytes(&slot.reg_id).bytes(&slot.sealed).bytes(&slot.content);
    writer.u64(slot.last_grant).u64(slot.due.unwrap_or(0));
    match &slot.finished {
        Some(finished) => {
            encode_attempt(writer, &finished.attempt);
            writer.u32(finished.failures).zeros(4).u64(finished.at);
        }
        None => _ = writer.zeros(FINISHED_LEN),
    }
    slot.attempts.iter().for_each(|attempt| encode_attempt(writer, attempt));
    writer.zeros((MAX_GUESSES as usize - attempts) * ATTEMPT_LEN);
    writer.u32(slot.failures).zeros(SLOT_RESERVED);
}

fn encode_attempt(writer: &mut Writer, attempt: &Attempt) {
    writer.bytes(&attempt.id).bytes(&attempt.ke1).u64(attempt.generation);
}

fn decode_slot(reader: &mut Reader<'_>) -> Result<Option<Slot>, DecodeError> {
    let fault = reader.malformed();
    let state = match reader.u8()? {
        0 => return reader.zeros(SLOT_LEN - 1).map(|()| None),
        1 => State::Pending,
        2 => State::Active,
        3 => State::Locked,
        _ => return Err(fault),
    };
    let [max, left, attempts, finished, due_set] = reader.array()?;
    reader.zeros(2)?;
    let locked = state == State::Locked;
    let counts = (1..=MAX_GUESSES).contains(&max)
        && left <= max
        // Every guess that is gone was granted since the last success, or the slot is locked or was clamped.
        && attempts <= max - left
        && finished <= 1
        && due_set <= 1
        && !(locked && (left > 0 || attempts > 0 || finished > 0 || due_set > 0));
    if !counts {
        return Err(fault);
    }
    let reg_id = reader.array()?;
    let sealed = reader.array()?;
    let content = reader.array()?;
    let last_grant = reader.u64()?;
    let due = flagged(due_set, reader, 8, |reader| reader.u64())?;
    let finished = flagged(finished, reader, FINISHED_LEN, decode_finished)?;
    let attempts = (0..attempts).map(|_| decode_attempt(reader)).collect::<Result<Vec<_>, _>>()?;
    reader.zeros((MAX_GUESSES as usize - attempts.len()) * ATTEMPT_LEN)?;
    let failures_at = reader.malformed();
    let failures = reader.u32()?;
    if failures > 0 && state != State::Pending {
        return Err(failures_at);
    }
    reader.zeros(SLOT_RESERVED)?;
    Ok(Some(Slot {
        reg_id,
        state,
        sealed,
        content,
        max,
        left,
        failures,
        last_grant,
        due,
        attempts,
        finished,
    }))
}

/// A field that is there or zero.
fn flagged<'a, T>(
    flag: u8,
    reader: &mut Reader<'a>,
    len: usize,
    decode: impl Fn(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match flag {
        0 => reader.zeros(len).map(|()| None),
        _ => decode(reader).map(Some),
    }
}

fn decode_finished(reader: &mut Reader<'_>) -> Result<Finished, DecodeError> {
    let attempt = decode_attempt(reader)?;
    let failures = reader.u32()?;
    reader.zeros(4)?;
    Ok(Finished { attempt, failures, at: reader.u64()? })
}

fn decode_attempt(reader: &mut Reader<'_>) -> Result<Attempt, DecodeError> {
    Ok(Attempt { id: reader.array()?, ke1: reader.array()?, generation: reader.u64()? })
}
