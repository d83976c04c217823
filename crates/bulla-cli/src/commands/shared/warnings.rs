//! Warnings that several commands print, and the exit codes that they lead to.

use bulla::HeaderState;
use bulla_archive::State;

use crate::error::Exit;
use crate::terminal::display::entries;
use crate::terminal::message::note;

/// The maximum number of similar warnings that are printed one by one.
const MAX_PRINTED: usize = 20;

/// The remedy for a container that was opened completely despite its damage.
pub(crate) const REENCRYPT: &str =
    "the content is complete; back it up or seal it again before more is damaged";

/// Warns if the header and the footer are not both intact.
pub(crate) fn warn_of_header_state(name: &str, state: HeaderState, remedy: &str) -> Exit {
    let problem = match state {
        HeaderState::Intact => return Exit::Success,
        HeaderState::HeaderDamaged => "the header is damaged, and the footer was used instead",
        HeaderState::FooterDamaged => {
            "the footer, which is a copy of the header, is damaged or missing"
        }
        HeaderState::Differ => {
            "the header and footer are both valid but differ; the header is authoritative"
        }
        _ => "the header and footer are in an unknown state",
    };
    note(&format!("{name}: warning: {problem}; {remedy}"));
    Exit::Warnings
}

/// Prints a warning for each of `items`, up to a limit.
pub(crate) fn warn_of_each<T>(items: &[T], text: impl Fn(&T) -> String) -> Exit {
    for item in items.iter().take(MAX_PRINTED) {
        note(&text(item));
    }
    match items.len() {
        0 => return Exit::Success,
        count if count > MAX_PRINTED => {
            note(&format!("warning: {} more like this", count - MAX_PRINTED));
        }
        _ => {}
    }
    Exit::Warnings
}

/// Warns about entries whose attributes could not be set.
pub(crate) fn warn_of_attributes(target: &str, count: u64) -> Exit {
    if count == 0 {
        return Exit::Success;
    }
    note(&format!(
        "{target}: warning: could not set the permissions or modification time of {}; the content \
         is complete",
        entries(count)
    ));
    Exit::Warnings
}

/// Returns a verb phrase that describes what happened to an entry during the backup.
pub(crate) fn describe_state(state: State) -> &'static str {
    match state {
        state if state.has(State::SKIPPED) => "was skipped",
        state if state.has(State::UNREADABLE) => "could not be read",
        state if state.has(State::SHORT) => "shrank while it was read",
        state if state.has(State::GREW) => {
            "grew while it was read, and was cut to its original length"
        }
        state if state.has(State::CHANGED) => "changed while it was read",
        _ => "is complete",
    }
}

/// Returns the first exit code that is not success.
pub(crate) fn first_of(exits: impl IntoIterator<Item = Exit>) -> Exit {
    exits.into_iter().find(|exit| *exit != Exit::Success).unwrap_or(Exit::Success)
}
