//! The commands for keys.

pub(super) mod keygen;
pub(super) mod sheet;
pub(super) mod slots;
pub(super) mod rotate;
