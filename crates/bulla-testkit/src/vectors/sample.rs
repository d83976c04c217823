//! How a vector is made: a sample that the reference seals, a change to it, and the outcome stated
//! by hand.

use super::label::{bytes, bytes32};
use super::{ChunkNonce, Envelopes, Export, Intermediates, Outcome, Seal, Vector};
use crate::malform::Parts;
use crate::reference::{self, Fault, HeaderState, Opened, SealParams, StreamOutcome};

/// The label under which a vector's secret is exported unless it says otherwise.
const EXPORT_LABEL: &[u8] = b"vectors";
/// Chunks whose nonces show the byte order beyond one byte, and the last chunk that there can be
/// (F-5.4).
const FAR_CHUNKS: [u64; 4] = [256, 1 << 16, 1 << 24, (1 << 32) - 1];

/// A plaintext with everything that it is sealed under; it follows from a label.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) key: [u8; 32],
    pub(super) salt: [u8; 32],
    pub(super) chunk_log2: u8,
    pub(super) content: u8,
    pub(super) context: Option<Vec<u8>>,
    pub(super) envelope: Vec<u8>,
    pub(super) plaintext: Vec<u8>,
}

impl Sample {
    /// Chunks of 4096 bytes, content 0, no context and no envelope; the key is the same for all.
    pub(super) fn new(label: &str, plaintext_len: usize) -> Sample {
        Sample {
            key: bytes32("key"),
            salt: bytes32(&format!("salt of {label}")),
            chunk_log2: 12,
            content: 0,
            context: None,
            envelope: Vec::new(),
            plaintext: bytes(&format!("plaintext of {label}"), plaintext_len),
        }
    }

    pub(super) fn with_context(self, context: &[u8]) -> Sample {
        Sample { context: Some(context.to_vec()), ..self }
    }

    pub(super) fn with_envelope(self, len: usize) -> Sample {
        Sample { envelope: bytes("envelope", len), ..self }
    }

    pub(super) fn container(&self) -> Vec<u8> {
        reference::seal(&SealParams {
            key: self.key,
            salt: self.salt,
            chunk_log2: self.chunk_log2,
            content: self.content,
            context: self.context.as_deref(),
            envelope: &self.envelope,
            plaintext: &self.plaintext,
        })
    }

    pub(super) fn parts(&self) -> Parts {
        Parts::of(&self.container())
    }

    /// Seals everything anew after an edit of both copies.
    pub(super) fn resealed(&self, at: usize, bytes: &[u8]) -> Vec<u8> {
        self.parts().reseal(&self.key, self.context.as_deref(), at, bytes).join()
    }

    /// A vector of the container as it is, opened with the key and context that it was sealed with.
    pub(super) fn vector(
        &self,
        name: &'static str,
        clause: &'static str,
        comment: &'static str,
    ) -> Draft {
        let (key, context) = (self.key, self.context.clone());
        let (sample, container, label) = (self.clone(), self.container(), EXPORT_LABEL.to_vec());
        Draft { sample, name, clause, comment, key, context, container, label }
    }
}

/// A vector whose outcome has not been stated yet.
pub(super) struct Draft {
    sample: Sample,
    name: &'static str,
    clause: &'static str,
    comment: &'static str,
    key: [u8; 32],
    context: Option<Vec<u8>>,
    container: Vec<u8>,
    label: Vec<u8>,
}

/// An outcome stated by hand.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// The sample's plaintext is handed out.
    Opens(HeaderState),
    /// Nothing of it is.
    Fails(Fault),
    /// A stream hands out so many bytes of it first.
    FailsAfter(usize, Fault),
}

impl Draft {
    /// Puts another container in the sample's place.
    pub(super) fn container(self, container: Vec<u8>) -> Draft {
        Draft { container, ..self }
    }

    /// Gives the reader another key.
    pub(super) fn key(self, key: [u8; 32]) -> Draft {
        Draft { key, ..self }
    }

    /// Gives the reader another context, or none.
    pub(super) fn context(self, context: Option<&[u8]>) -> Draft {
        Draft { context: context.map(<[u8]>::to_vec), ..self }
    }

    /// Exports a secret under another label.
    pub(super) fn label(self, label: &[u8]) -> Draft {
        Draft { label: label.to_vec(), ..self }
    }

    /// Both readers hand out the plaintext and find the copies intact.
    pub(super) fn opens(self) -> Vector {
        self.opens_with(HeaderState::Intact)
    }

    /// Both readers hand out the plaintext.
    pub(super) fn opens_with(self, copies: HeaderState) -> Vector {
        self.outcomes(Expected::Opens(copies), Expected::Opens(copies))
    }

    /// Both readers fail alike, and the stream releases nothing.
    pub(super) fn fails(self, fault: Fault) -> Vector {
        self.outcomes(Expected::Fails(fault), Expected::Fails(fault))
    }

    /// Both readers fail alike, the stream after `released` bytes.
    pub(super) fn fails_after(self, released: usize, fault: Fault) -> Vector {
        self.outcomes(Expected::FailsAfter(released, fault), Expected::Fails(fault))
    }

    /// States both outcomes, and completes the vector.
    ///
    /// # Panics
    ///
    /// If the reference reports something else.
    pub(super) fn outcomes(self, stream: Expected, positional: Expected) -> Vector {
        let (key, context, plaintext) =
            (&self.key, self.context.as_deref(), &self.sample.plaintext);
        let stated = match stream {
            Expected::Opens(copies) => {
                StreamOutcome { released: plaintext.clone(), result: Ok(copies) }
            }
            Expected::Fails(fault) => StreamOutcome { released: Vec::new(), result: Err(fault) },
            Expected::FailsAfter(len, fault) => {
                StreamOutcome { released: plaintext[..len].to_vec(), result: Err(fault) }
            }
        };
        let stream = Outcome::from(&reference::open_stream(&self.container, key, context));
        let name = self.name;
        assert_eq!(
            stream,
            Outcome::from(&stated),
            "{name}: by stream, the reference reports the left, the generator states the right"
        );

        let stated = match positional {
            Expected::Opens(copies) => {
                Ok(Opened { plaintext: plaintext.clone(), header_state: copies })
            }
            Expected::Fails(fault) | Expected::FailsAfter(_, fault) => Err(fault),
        };
        let positional = Outcome::from(&reference::open_positional(&self.container, key, context));
        assert_eq!(
            positional,
            Outcome::from(&stated),
            "{name}: by position, the reference reports the left, the generator states the right"
        );

        Vector {
            name: self.name.to_owned(),
            clause: self.clause.to_owned(),
            comment: self.comment.to_owned(),
            key: self.key.into(),
            context: self.context.as_ref().map(Into::into),
            seal: self.seal(),
            envelopes: self.envelopes(),
            intermediates: self.intermediates(),
            container: self.container.into(),
            stream,
            positional,
        }
    }

    /// The sample, if the reader is given what it was sealed with and exactly what it was sealed
    /// to.
    fn seal(&self) -> Option<Seal> {
        let sample = &self.sample;
        let same = (&self.key, &self.context) == (&sample.key, &sample.context);
        (same && self.container == sample.container()).then(|| Seal {
            plaintext: (&sample.plaintext).into(),
            salt: sample.salt.into(),
            chunk_log2: sample.chunk_log2,
            content: sample.content,
            envelope: (&sample.envelope).into(),
        })
    }

    fn envelopes(&self) -> Option<Envelopes> {
        let found = reference::look(&self.container, true).ok()?;
        let (head, tail) = reference::envelopes(&self.container, &found);
        Some(Envelopes { head: head.into(), tail: tail.map(Into::into) })
    }

    fn intermediates(&self) -> Option<Intermediates> {
        let context = self.context.as_deref();
        let found = reference::look(&self.container, true).ok()?;
        found.check_context(context).ok()?;
        let keys = reference::schedule(&self.key, &reference::bound(&found.copy), context);
        let nonce =
            |index| ChunkNonce { index, nonce: reference::nonce(&keys.base_nonce, index).into() };
        let secret = reference::export(&keys.exporter, &self.label);
        Some(Intermediates {
            nonces: (0..=found.geometry.n).chain(FAR_CHUNKS).map(nonce).collect(),
            export: Export { label: (&self.label).into(), secret: secret.into() },
            info: keys.info.into(),
            t1: keys.t1.into(),
            t2: keys.t2.into(),
            chunk_key: keys.chunk_key.into(),
            base_nonce: keys.base_nonce.into(),
            commitment: keys.commitment.into(),
            exporter: keys.exporter.into(),
        })
    }
}
