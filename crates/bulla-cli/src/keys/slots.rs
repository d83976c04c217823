//! Formats the slots of an envelope. They are not authenticated unless the envelope was opened.

use bulla_key::{Envelope, EnvelopeState, PassphraseCost, SlotInfo, SlotKind};
use serde_json::{Value, json};

/// Returns one line per slot.
pub(crate) fn lines(envelope: &Envelope) -> Vec<String> {
    envelope.list().iter().map(line).collect()
}

/// Returns the kind of secret that opens a slot.
pub(crate) fn kind(kind: &SlotKind) -> &'static str {
    match kind {
        SlotKind::RecoveryKey => "recovery key",
        SlotKind::Passphrase(_) | SlotKind::TooCostly => "passphrase",
        SlotKind::Locator(_) => "vault",
        _ => "unknown",
    }
}

/// Returns the JSON that `bulla inspect --json` prints.
pub(crate) fn json(envelope: &Envelope, copies: EnvelopeState) -> Value {
    let slot = |slot: &SlotInfo| {
        let mut shown = json!({ "id": slot.id.0, "kind": kind(&slot.kind).replace(' ', "_") });
        match &slot.kind {
            SlotKind::Passphrase(cost) => {
                shown["argon2id"] = json!({
                    "passes": cost.passes(), "memory_kib": cost.memory_kib(), "lanes": cost.lanes(),
                });
            }
            SlotKind::TooCostly => shown["too_costly"] = json!(true),
            SlotKind::Unknown(number) => shown["number"] = json!(number),
            _ => {}
        }
        shown
    };
    json!({
        "revision": envelope.revision(),
        "copies": state(copies),
        "slots": envelope.list().iter().map(slot).collect::<Vec<_>>(),
    })
}

/// Returns the state of the two copies of an envelope as one word.
pub(crate) fn state(copies: EnvelopeState) -> &'static str {
    match copies {
        EnvelopeState::Intact => "intact",
        EnvelopeState::FirstDamaged => "first_damaged",
        EnvelopeState::SecondDamaged => "second_damaged",
        EnvelopeState::Differ => "differ",
        EnvelopeState::Single => "single",
        _ => "unknown",
    }
}

/// Formats a number of slots: `1 slot`, `2 slots`.
pub(crate) fn count(count: usize) -> String {
    if count == 1 { "1 slot".to_owned() } else { format!("{count} slots") }
}

fn line(slot: &SlotInfo) -> String {
    let more = match &slot.kind {
        SlotKind::RecoveryKey => "a key file, or its 64 digits".to_owned(),
        SlotKind::Passphrase(cost) => describe(cost),
        SlotKind::TooCostly => "not tried: its cost exceeds the limit".to_owned(),
        SlotKind::Locator(_) => "a recovery key stored in a vault".to_owned(),
        SlotKind::Unknown(number) => format!("kind {number}; a newer version may support it"),
        _ => String::new(),
    };
    format!("{:>3}  {:<13}  {more}", slot.id, kind(&slot.kind))
}

fn describe(cost: &PassphraseCost) -> String {
    let memory = match cost.memory_kib() {
        kib if kib % 1024 == 0 => format!("{} MiB", kib / 1024),
        kib => format!("{kib} KiB"),
    };
    let (passes, lanes) = (cost.passes(), cost.lanes());
    format!("Argon2id with {memory} of memory (passes: {passes}, lanes: {lanes})")
}
