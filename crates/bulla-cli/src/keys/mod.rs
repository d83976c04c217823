//! Keys and passphrases: where they come from, and which containers they unlock.

pub(crate) mod new_key;
pub(crate) mod sheet;
pub(crate) mod source;
pub(crate) mod prompt_key;
pub(crate) mod vault;
pub(crate) mod slots;
pub(crate) mod unlock;
pub(crate) mod access_methods;
