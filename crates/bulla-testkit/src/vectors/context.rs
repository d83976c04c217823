//! Contexts: given, missing, unexpected, wrong.

use super::Vector;
use super::label::bytes;
use super::sample::Sample;
use crate::malform::{Place, field};
use crate::reference::Fault;

pub(super) fn vectors() -> Vec<Vector> {
    let with = |context: &[u8]| Sample::new("context", 100).with_context(context);
    let without = Sample::new("no context", 100);
    let (photos, empty) = (with(b"photos"), with(b""));
    let flags = |sample: &Sample, flags| {
        sample.parts().edit(Place::Both, field::FLAGS, &[0, flags]).remake_check(Place::Both).join()
    };
    let wrong = |name, context: &[u8], comment| {
        photos.vector(name, "F-4.3", comment).context(Some(context)).fails(Fault::WrongKey)
    };
    vec![
        photos.vector("context_of_6_bytes", "F-3.8", "The reader is given the same.").opens(),
        empty
            .vector("context_of_0_bytes", "F-3.8", "A context all the same: the flag is set.")
            .opens(),
        with(&bytes("context", 1000))
            .vector("context_of_1000_bytes", "F-3.8", "The reader is given the same.")
            .opens(),
        with(b"a\0b\xff")
            .vector("context_of_any_bytes", "F-3.8", "A zero byte, and one that is no UTF-8.")
            .opens(),
        photos
            .vector("context_missing", "F-3.8", "Sealed with a context, opened without.")
            .context(None)
            .fails(Fault::ContextRequired),
        empty
            .vector("context_of_0_bytes_missing", "F-3.8", "None is not the context of no bytes.")
            .context(None)
            .fails(Fault::ContextRequired),
        without
            .vector("context_unexpected", "F-3.8", "Sealed without a context, opened with one.")
            .context(Some(b"photos"))
            .fails(Fault::ContextUnexpected),
        without
            .vector(
                "context_of_0_bytes_unexpected",
                "F-3.8",
                "The context of no bytes is not none.",
            )
            .context(Some(b""))
            .fails(Fault::ContextUnexpected),
        wrong("context_wrong", b"photoz", "The last bit is another."),
        wrong("context_cut", b"photo", "The last byte is missing."),
        wrong("context_extended", b"photos\0", "One byte more, which is zero."),
        wrong("context_empty_instead", b"", "The context of no bytes instead."),
        photos
            .vector(
                "context_flag_cleared",
                "F-4.3",
                "In both copies, whose checks hold; opened without a context.",
            )
            .container(flags(&photos, 0))
            .context(None)
            .fails(Fault::WrongKey),
        photos
            .vector(
                "context_flag_cleared_context_given",
                "F-3.8",
                "In both copies, whose checks hold; opened with the context.",
            )
            .container(flags(&photos, 0))
            .fails(Fault::ContextUnexpected),
        without
            .vector(
                "context_flag_set",
                "F-4.3",
                "In both copies, whose checks hold; opened with the context of no bytes.",
            )
            .container(flags(&without, 1))
            .context(Some(b""))
            .fails(Fault::WrongKey),
        without
            .vector(
                "context_flag_set_none_given",
                "F-3.8",
                "In both copies, whose checks hold; opened without a context.",
            )
            .container(flags(&without, 1))
            .fails(Fault::ContextRequired),
    ]
}
