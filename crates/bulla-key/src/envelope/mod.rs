//! Key envelopes: a container's key, wrapped in slots (ENVELOPE.md, sections 2 to 6).

// Modules are listed in dependency order: each imports only from those above it.
mod mac;
mod slot;
mod parse;
mod slots;
mod unlocked;
#[cfg(any(unix, windows))]
mod rewrap;

pub use parse::{Envelope, EnvelopeState, Secret};
pub use slot::{SlotId, SlotInfo, SlotKind};
pub use slots::Slots;
pub use unlocked::Unlocked;
