//! A counter's encoding. In the store, the counter's MAC follows it.
//!
//! ```text
//!    0  "BCTR" 1 0 0 0       magic and version
//!    8  account             32
//!   40  generation           8
//!   48  failures             4
//!   52  draft present        4   0 or 1
//!   56  live               768   registration
//!  824  pending            768   registration
//! 1592  draft              128   reg_id 32, request 32, sealed rk 64
//!
//! registration:
//!    0  state                1   0 none, 1 PENDING, 2 ACTIVE, 3 LOCKED
//!    1  max, left, attempts  3
//!    4  finished present     1   0 or 1
//!    5  due present          1   0 or 1
//!    6  zeros                2
//!    8  reg_id              32
//!   40  sealed              32
//!   72  content             32
//!  104  last guess           8
//!  112  due                  8
//!  120  finished            72   attempt 56, failures 4, zeros 4, time 8
//!  192  attempts            10 × 56: id 16, ke1 32, generation 8
//!  752  failures             4
//!  756  zeros               12
//! ```

use super::codec::{Reader, Writer};
use super::counter::DRAFT_RK_LEN;
use super::{
    Attempt, Counter, DecodeError, Finished, MAX_GUESSES, Registration, RegistrationDraft,
    RegistrationState,
};

const MAGIC: [u8; 8] = *b"BCTR\x01\0\0\0";
const ATTEMPT_LEN: usize = 56;
const FINISHED_LEN: usize = ATTEMPT_LEN + 16;
const REGISTRATION_LEN: usize = 768;
const DRAFT_LEN: usize = 32 + 32 + DRAFT_RK_LEN;
const REGISTRATION_RESERVED: usize =
    REGISTRATION_LEN - 120 - FINISHED_LEN - MAX_GUESSES as usize * ATTEMPT_LEN - 4;

/// Bytes in an encoded counter without its MAC.
pub const COUNTER_BODY_LEN: usize = 56 + 2 * REGISTRATION_LEN + DRAFT_LEN;

/// Encodes a counter, always to [`COUNTER_BODY_LEN`] bytes.
pub fn encode_counter(counter: &Counter) -> Vec<u8> {
    let mut writer = Writer::with_capacity(COUNTER_BODY_LEN + 32);
    writer.bytes(&MAGIC).bytes(&counter.account).u64(counter.generation).u32(counter.failures);
    writer.u32(counter.draft.is_some().into());
    for registration in [&counter.live, &counter.pending] {
        match registration {
            Some(registration) => encode_registration(&mut writer, registration),
            None => _ = writer.zeros(REGISTRATION_LEN),
        }
    }
    match &counter.draft {
        Some(draft) => _ = writer.bytes(&draft.reg_id).bytes(&draft.request).bytes(&draft.rk),
        None => _ = writer.zeros(DRAFT_LEN),
    }
    writer.finish()
}

/// Decodes a counter.
///
/// # Errors
///
/// Returns [`DecodeError`] for any bytes that [`encode_counter`] would not write, and for the last
/// generation, because no counter could follow it.
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
    let live = decode_registration(&mut reader)?;
    let pending_at = reader.malformed();
    let pending = decode_registration(&mut reader)?;
    // LOCKED is the only state that both `live` and `pending` may have.
    if live.as_ref().is_some_and(|registration| registration.state == RegistrationState::Pending) {
        return Err(live_at);
    }
    if pending.as_ref().is_some_and(|registration| registration.state == RegistrationState::Active)
    {
        return Err(pending_at);
    }
    if let (Some(live), Some(pending)) = (&live, &pending)
        && live.reg_id == pending.reg_id
    {
        return Err(pending_at);
    }
    let draft = flagged(drafted as u8, &mut reader, DRAFT_LEN, |reader| {
        Ok(RegistrationDraft {
            reg_id: reader.array()?,
            request: reader.array()?,
            rk: reader.array()?,
        })
    })?;
    Ok(Counter { account, generation, failures, live, pending, draft })
}

fn encode_registration(writer: &mut Writer, registration: &Registration) {
    let state = match registration.state {
        RegistrationState::Pending => 1,
        RegistrationState::Active => 2,
        RegistrationState::Locked => 3,
    };
    let attempts = registration.attempts.len();
    writer.bytes(&[state, registration.max, registration.left, attempts as u8]);
    writer
        .u8(registration.finished.is_some().into())
        .u8(registration.due.is_some().into())
        .zeros(2);
    writer.bytes(&registration.reg_id).bytes(&registration.sealed).bytes(&registration.content);
    writer.u64(registration.last_grant).u64(registration.due.unwrap_or(0));
    match &registration.finished {
        Some(finished) => {
            encode_attempt(writer, &finished.attempt);
            writer.u32(finished.failures).zeros(4).u64(finished.at);
        }
        None => _ = writer.zeros(FINISHED_LEN),
    }
    registration.attempts.iter().for_each(|attempt| encode_attempt(writer, attempt));
    writer.zeros((MAX_GUESSES as usize - attempts) * ATTEMPT_LEN);
    writer.u32(registration.failures).zeros(REGISTRATION_RESERVED);
}

fn encode_attempt(writer: &mut Writer, attempt: &Attempt) {
    writer.bytes(&attempt.id).bytes(&attempt.ke1).u64(attempt.generation);
}

fn decode_registration(reader: &mut Reader<'_>) -> Result<Option<Registration>, DecodeError> {
    let state_at = reader.malformed();
    let state = match reader.u8()? {
        0 => return reader.zeros(REGISTRATION_LEN - 1).map(|()| None),
        1 => RegistrationState::Pending,
        2 => RegistrationState::Active,
        3 => RegistrationState::Locked,
        _ => return Err(state_at),
    };
    let [max, left, attempts, finished, due_set] = reader.array()?;
    reader.zeros(2)?;
    let locked = state == RegistrationState::Locked;
    let consistent = (1..=MAX_GUESSES).contains(&max)
        && left <= max
        // Each attempt since the last login has cost a guess. Locking and clamping take away more.
        && attempts <= max - left
        && finished <= 1
        && due_set <= 1
        && !(locked && (left > 0 || attempts > 0 || finished > 0 || due_set > 0));
    if !consistent {
        return Err(state_at);
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
    if failures > 0 && state != RegistrationState::Pending {
        return Err(failures_at);
    }
    reader.zeros(REGISTRATION_RESERVED)?;
    Ok(Some(Registration {
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

/// Decodes an optional field, which is zero if absent.
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
