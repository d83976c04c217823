//! Builds vectors: the reference seals a sample, a change is applied, and the generator states the
//! outcome, which the reference must confirm.

use super::model::{ChunkNonce, Envelopes, Export, Intermediates, Seal, Vector};
use super::outcome::Outcome;
use crate::corrupt::ContainerParts;
use crate::reference::{
    self, ContainerError, HeaderState, OpenedContainer, SealParams, StreamOutcome,
};
use crate::vectors::label::{bytes, bytes32};

/// The default label of the exported secret.
const EXPORT_LABEL: &[u8] = b"vectors";
/// Chunk numbers whose nonces reveal the byte order, and the largest possible chunk number (F-5.4).
const FAR_CHUNKS: [u64; 4] = [256, 1 << 16, 1 << 24, (1 << 32) - 1];

/// The inputs for sealing a container, derived from a label.
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
    /// Creates a sample with 4096-byte chunks, content 0, no context and no envelope. All samples
    /// share a key.
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

    pub(super) fn parts(&self) -> ContainerParts {
        ContainerParts::split(&self.container())
    }

    /// Returns the container re-encrypted after a change to both header copies.
    pub(super) fn resealed(&self, at: usize, bytes: &[u8]) -> Vec<u8> {
        self.parts().reseal(&self.key, self.context.as_deref(), at, bytes).to_bytes()
    }

    /// Starts a vector with the unchanged container, opened with the key and context under which it
    /// was sealed.
    pub(super) fn vector(
        &self,
        name: &'static str,
        clause: &'static str,
        comment: &'static str,
    ) -> VectorBuilder {
        let (key, context) = (self.key, self.context.clone());
        let (sample, container, label) = (self.clone(), self.container(), EXPORT_LABEL.to_vec());
        VectorBuilder { sample, name, clause, comment, key, context, container, label }
    }
}

/// A vector whose outcome has not been stated yet.
pub(super) struct VectorBuilder {
    sample: Sample,
    name: &'static str,
    clause: &'static str,
    comment: &'static str,
    key: [u8; 32],
    context: Option<Vec<u8>>,
    container: Vec<u8>,
    label: Vec<u8>,
}

/// An outcome that the generator states.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// The sample's plaintext is released.
    Opens(HeaderState),
    /// Nothing is released.
    Fails(ContainerError),
    /// A stream releases this number of bytes first.
    FailsAfter(usize, ContainerError),
}

impl VectorBuilder {
    /// Replaces the container.
    pub(super) fn container(self, container: Vec<u8>) -> VectorBuilder {
        VectorBuilder { container, ..self }
    }

    /// Replaces the key given to the reader.
    pub(super) fn key(self, key: [u8; 32]) -> VectorBuilder {
        VectorBuilder { key, ..self }
    }

    /// Replaces the context given to the reader.
    pub(super) fn context(self, context: Option<&[u8]>) -> VectorBuilder {
        VectorBuilder { context: context.map(<[u8]>::to_vec), ..self }
    }

    /// Replaces the label of the exported secret.
    pub(super) fn label(self, label: &[u8]) -> VectorBuilder {
        VectorBuilder { label: label.to_vec(), ..self }
    }

    /// States that both readers release the plaintext and find both header copies intact.
    pub(super) fn opens(self) -> Vector {
        self.opens_with(HeaderState::Intact)
    }

    /// States that both readers release the plaintext with this header state.
    pub(super) fn opens_with(self, state: HeaderState) -> Vector {
        self.outcomes(Expected::Opens(state), Expected::Opens(state))
    }

    /// States that both readers fail with the same error, and that the stream releases nothing.
    pub(super) fn fails(self, error: ContainerError) -> Vector {
        self.outcomes(Expected::Fails(error), Expected::Fails(error))
    }

    /// States that both readers fail with the same error, the stream after releasing `released`
    /// bytes.
    pub(super) fn fails_after(self, released: usize, error: ContainerError) -> Vector {
        self.outcomes(Expected::FailsAfter(released, error), Expected::Fails(error))
    }

    /// States that a positional reader finds `extra` trailing bytes and that a stream has the given
    /// outcome.
    pub(super) fn trailing_data(self, extra: u64, stream: Expected) -> Vector {
        self.outcomes(stream, Expected::Fails(ContainerError::TrailingData { extra }))
    }

    /// States both outcomes and completes the vector.
    ///
    /// # Panics
    /// If the reference disagrees.
    pub(super) fn outcomes(self, stream: Expected, positional: Expected) -> Vector {
        let (key, context, plaintext) =
            (&self.key, self.context.as_deref(), &self.sample.plaintext);
        let expected = match stream {
            Expected::Opens(state) => {
                StreamOutcome { released: plaintext.clone(), result: Ok(state) }
            }
            Expected::Fails(error) => StreamOutcome { released: Vec::new(), result: Err(error) },
            Expected::FailsAfter(len, error) => {
                StreamOutcome { released: plaintext[..len].to_vec(), result: Err(error) }
            }
        };
        let stream = Outcome::from(&reference::open_stream(&self.container, key, context));
        let name = self.name;
        assert_eq!(
            stream,
            Outcome::from(&expected),
            "{name}: stream: reference (left) and generator (right)"
        );

        let expected = match positional {
            Expected::Opens(state) => {
                Ok(OpenedContainer { plaintext: plaintext.clone(), header_state: state })
            }
            Expected::Fails(error) | Expected::FailsAfter(_, error) => Err(error),
        };
        let positional = Outcome::from(&reference::open_positional(&self.container, key, context));
        assert_eq!(
            positional,
            Outcome::from(&expected),
            "{name}: positional: reference (left) and generator (right)"
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

    /// Returns the writer's inputs if the reader is given the original container, key and context.
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
        let found = reference::inspect(&self.container, true).ok()?;
        let (head, tail) = reference::envelopes(&self.container, &found);
        Some(Envelopes { head: head.into(), tail: tail.map(Into::into) })
    }

    fn intermediates(&self) -> Option<Intermediates> {
        let context = self.context.as_deref();
        let found = reference::inspect(&self.container, true).ok()?;
        found.check_context(context).ok()?;
        let keys = reference::schedule(&self.key, &reference::bound(&found.header), context);
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
