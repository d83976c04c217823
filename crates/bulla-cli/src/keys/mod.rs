//! Keys, passphrases and envelopes: where they come from, and what they open.

pub(crate) mod source;
pub(crate) mod new_key;
pub(crate) mod sheet;
pub(crate) mod prompt_key;
pub(crate) mod slots;
pub(crate) mod vault;
pub(crate) mod unlock;
pub(crate) mod access_methods;
