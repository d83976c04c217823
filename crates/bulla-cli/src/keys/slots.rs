//! The slots of an envelope, shown. Nothing of them is authenticated before the envelope was
//! opened.

use bulla_key::{Envelope, EnvelopeCopies, PassphraseCost, SlotInfo, SlotKind};
use serde_json::{Value, json};

/// A line for each slot.
pub(crate) fn lines(envelope: &Envelope) -> Vec<String> {
    envelope.list().iter().map(line).collect()
}

/// What opens a slot, in a word or two.
pub(crate) fn kind(kind: &SlotKind) -> &'static str {
    match kind {
        SlotKind::RecoveryKey => "recovery key",
        SlotKind::Passphrase(_) | SlotKind::TooCostly => "passphrase",
        SlotKind::Locator(_) => "vault",
        _ => "unknown",
    }
}

/// As `bulla inspect --json` shows it.
pub(crate) fn json(envelope: &Envelope, copies: EnvelopeCopies) -> Value {
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

/// The state of the copies as one word.
pub(crate) fn state(copies: EnvelopeCopies) -> &'static str {
    match copies {
        EnvelopeCopies::Intact => "intact",
        EnvelopeCopies::FirstDamaged => "first_damaged",
        EnvelopeCopies::SecondDamaged => "second_damaged",
        EnvelopeCopies::Differ => "differ",
        EnvelopeCopies::Single => "single",
        _ => "unknown",
    }
}

/// `1 slot`, `2 slots`.
pub(crate) fn count(count: usize) -> String {
    if count == 1 { "1 slot".to_owned() } else { format!("{count} slots") }
}

fn line(slot: &SlotInfo) -> String {
    let more = match &slot.kind {
        SlotKind::RecoveryKey => "a key file, or its 64 digits".to_owned(),
        SlotKind::Passphrase(cost) => describe(cost),
        SlotKind::TooCostly => "each try costs more than is allowed; it is not tried".to_owned(),
        SlotKind::Locator(_) => "a recovery key that lies in a vault".to_owned(),
        SlotKind::Unknown(number) => format!("of kind {number}; a newer release may know it"),
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
    format!("each try costs {memory} of memory (Argon2id, passes: {passes}, lanes: {lanes})")
}
