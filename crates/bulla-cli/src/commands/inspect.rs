//! `bulla inspect`

use std::fmt::Write;

use bulla::{ContentType, Header, HeaderState, Preamble};
use bulla_key::{Envelope, EnvelopeState, Error};
use serde_json::{Value, json};

use super::shared::container::read_preamble;
use super::shared::warnings::{first_of, warn_of_header_state};
use crate::args::containers::InspectArgs;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::keys::slots;
use crate::keys::unlock::{envelope_failure, read_envelope, warn_of_copies};
use crate::terminal::message::{note, print};

pub(super) fn run(args: &InspectArgs) -> Result<Exit, Failure> {
    let mut input = Input::open(Some(&args.input))?;
    let preamble = read_preamble(&mut input)?;
    let envelope = read_envelope(&preamble, args.envelope.file.as_deref())?;
    let facts = Facts::new(&preamble, &envelope, input.positional_len());
    let text = if args.json { format!("{:#}", facts.json()) } else { facts.text(&input.name) };
    print(&text).map_err(|e| Failure::io("standard output", &e))?;
    let header = facts.header_state.map_or(Exit::Success, |state| {
        let remedy = "use `bulla verify` to check whether the content is complete";
        warn_of_header_state(&input.name, state, remedy)
    });
    let envelope = match &envelope {
        Ok((_, copies)) => warn_of_copies(&input.name, *copies),
        Err(Error::NoEnvelope) => Exit::Success,
        Err(e) => {
            note(&envelope_failure(e, &format!("{}: warning", input.name)).to_string());
            Exit::Warnings
        }
    };
    Ok(first_of([header, envelope]))
}

/// A container's public properties.
struct Facts<'a> {
    header: &'a Header,
    envelope: Option<&'a (Envelope, EnvelopeState)>,
    /// `None` if the container is read from a stream.
    header_state: Option<HeaderState>,
    /// `None` if the container is read from a stream.
    container_len: Option<u64>,
}

impl Facts<'_> {
    fn new<'a>(
        preamble: &'a Preamble,
        envelope: &'a Result<(Envelope, EnvelopeState), Error>,
        container_len: Option<u64>,
    ) -> Facts<'a> {
        let envelope = envelope.as_ref().ok();
        Facts {
            header: preamble.header(),
            envelope,
            header_state: preamble.header_state(),
            container_len,
        }
    }

    fn json(&self) -> Value {
        let header = self.header;
        json!({
            "version": { "major": header.version().0, "minor": header.version().1 },
            "suite": { "number": header.suite(), "name": suite(header.suite()) },
            "content": {
                "number": header.content_type().0,
                "name": content(header.content_type()),
            },
            "chunk_size": header.chunk_size().bytes(),
            "needs_context": header.needs_context(),
            "envelope_len": header.envelope_len(),
            "envelope": self.envelope.map(|(envelope, copies)| slots::json(envelope, *copies)),
            "salt": hex(header.salt()),
            "commitment": hex(header.commitment()),
            "copies": self.header_state.map(header_state),
            "container_len": self.container_len,
            "plaintext_len": self.container_len.and_then(|len| header.plaintext_len(len)),
            "chunks": self.container_len.and_then(|len| header.chunk_count(len)),
        })
    }

    fn text(&self, name: &str) -> String {
        let header = self.header;
        let (major, minor) = header.version();
        let unknown = || "unknown".to_owned();
        let mut text =
            format!("{name}: a Bulla container; these properties are not authenticated\n");
        let mut line = |fact: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {fact:<17} {value}");
        };
        line("version", format!("{major}.{minor}"));
        line("suite", format!("{} ({})", header.suite(), suite(header.suite())));
        line(
            "content",
            format!("{} ({})", header.content_type().0, content(header.content_type())),
        );
        line("chunk size", header.chunk_size().bytes().to_string());
        line("needs context", if header.needs_context() { "yes" } else { "no" }.to_owned());
        line("envelope length", header.envelope_len().to_string());
        line("salt, identity", hex(header.salt()));
        line("commitment", hex(header.commitment()));
        line(
            "header, footer",
            self.header_state.map_or_else(unknown, |state| header_state(state).replace('_', " ")),
        );
        line("container length", self.container_len.map_or_else(unknown, |len| len.to_string()));
        let len = self.container_len;
        match len.map(|len| header.plaintext_len(len).zip(header.chunk_count(len))) {
            Some(Some((plaintext_len, chunks))) => {
                line("plaintext length", plaintext_len.to_string());
                line("chunks", chunks.to_string());
            }
            Some(None) => line(
                "plaintext length",
                "unknown; no complete container has this length".to_owned(),
            ),
            None => {}
        }
        if let Some((envelope, copies)) = self.envelope {
            let lines = slots::lines(envelope);
            line("envelope copies", slots::state(*copies).replace('_', " "));
            line(
                "envelope",
                format!("revision {}, with {}:", envelope.revision(), slots::count(lines.len())),
            );
            lines.iter().for_each(|slot| line("", slot.clone()));
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn suite(number: u16) -> &'static str {
    match number {
        1 => "HMAC-SHA-512, AES-256-GCM",
        _ => "unknown",
    }
}

fn content(content: ContentType) -> &'static str {
    match content {
        ContentType::BYTES => "bytes",
        ContentType::ARCHIVE => "archive",
        other if other.is_private() => "private use",
        _ => "unknown",
    }
}

fn header_state(state: HeaderState) -> &'static str {
    match state {
        HeaderState::Intact => "intact",
        HeaderState::HeaderDamaged => "header_damaged",
        HeaderState::FooterDamaged => "footer_damaged",
        HeaderState::Differ => "differ",
        _ => "unknown",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
