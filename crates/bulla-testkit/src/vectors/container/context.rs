//! Contexts that are given, missing, unexpected or wrong.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::{HeaderCopy, field};
use crate::reference::ContainerError;
use crate::vectors::label::bytes;

pub(super) fn vectors() -> Vec<Vector> {
    let with = |context: &[u8]| Sample::new("context", 100).with_context(context);
    let without = Sample::new("no context", 100);
    let (photos, empty) = (with(b"photos"), with(b""));
    let flags = |sample: &Sample, flags| {
        sample
            .parts()
            .edit(HeaderCopy::Both, field::FLAGS, &[0, flags])
            .update_check(HeaderCopy::Both)
            .to_bytes()
    };
    let wrong = |name, context: &[u8], comment| {
        photos.vector(name, "F-4.3", comment).context(Some(context)).fails(ContainerError::WrongKey)
    };
    vec![
        photos
            .vector("context_of_6_bytes", "F-3.8", "The reader is given the same context.")
            .opens(),
        empty
            .vector(
                "context_empty",
                "F-3.8",
                "The flag is set, because an empty context counts as a context.",
            )
            .opens(),
        with(&bytes("context", 1000))
            .vector("context_of_1000_bytes", "F-3.8", "The reader is given the same context.")
            .opens(),
        with(b"a\0b\xff")
            .vector(
                "context_of_arbitrary_bytes",
                "F-3.8",
                "The context contains a zero byte and a byte that is not valid UTF-8.",
            )
            .opens(),
        photos
            .vector(
                "context_missing",
                "F-3.8",
                "The container was sealed with a context and is opened without one.",
            )
            .context(None)
            .fails(ContainerError::ContextRequired),
        empty
            .vector(
                "context_empty_missing",
                "F-3.8",
                "An absent context differs from an empty one.",
            )
            .context(None)
            .fails(ContainerError::ContextRequired),
        without
            .vector(
                "context_unexpected",
                "F-3.8",
                "The container was sealed without a context and is opened with one.",
            )
            .context(Some(b"photos"))
            .fails(ContainerError::ContextUnexpected),
        without
            .vector(
                "context_empty_unexpected",
                "F-3.8",
                "An empty context differs from an absent one.",
            )
            .context(Some(b""))
            .fails(ContainerError::ContextUnexpected),
        wrong("context_wrong", b"photoz", "The last byte of the context differs."),
        wrong("context_truncated", b"photo", "The last byte of the context is missing."),
        wrong("context_extended", b"photos\0", "A zero byte is appended to the context."),
        wrong("context_wrong_empty", b"", "An empty context is given instead."),
        photos
            .vector(
                "context_flag_cleared",
                "F-4.3",
                "The flag is cleared in both copies, with valid checks; no context is given.",
            )
            .container(flags(&photos, 0))
            .context(None)
            .fails(ContainerError::WrongKey),
        photos
            .vector(
                "context_flag_cleared_context_given",
                "F-3.8",
                "The flag is cleared in both copies, with valid checks; the context is given.",
            )
            .container(flags(&photos, 0))
            .fails(ContainerError::ContextUnexpected),
        without
            .vector(
                "context_flag_set",
                "F-4.3",
                "The flag is set in both copies, with valid checks; the empty context is given.",
            )
            .container(flags(&without, 1))
            .context(Some(b""))
            .fails(ContainerError::WrongKey),
        without
            .vector(
                "context_flag_set_without_context",
                "F-3.8",
                "The flag is set in both copies, with valid checks; no context is given.",
            )
            .container(flags(&without, 1))
            .fails(ContainerError::ContextRequired),
    ]
}
