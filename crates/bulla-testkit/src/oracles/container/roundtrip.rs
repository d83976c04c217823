//! Sealing: every method produces the same bytes as the reference.

use std::io::{self, Write};

use bulla::{ChunkSize, Key, Options, Plan};

use super::open;
use crate::library::{self, options};
use crate::oracles::known;
use crate::oracles::script::{Script, stretch};
use crate::reference::{self, HeaderState, SealParams};

/// **Input: a description of a container**: chunk size, content type, context, envelope and write
/// sizes. The rest is the plaintext, repeated to the described length.
///
/// - With a given salt, the library produces the same bytes as the reference, whether it seals from
///   memory, into a buffer, as a stream or from a plan (F-2.1, F-3.1, F-3.2, F-4.3, F-5.1, F-5.2).
///   The length is as predicted, and the exported secret is the same (F-4.5).
/// - The reference opens a container that the library seals under a random salt.
/// - Every method of opening these containers yields the same plaintext and finds both header
///   copies intact.
pub fn roundtrip(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let context = script.flag().then_some(known::CONTEXT);
    let chunk_log2 = known::CHUNK_LOG2 + script.byte() % 3;
    let content = script.byte();
    let envelope = stretch(b"envelope", script.byte().into());
    let write_len = script.within(1..=5000);
    let planned = script.number(2) as usize;
    let label = script.run();
    let plaintext_len = script.within(0..=3 * 4096 + 2);
    let plaintext = stretch(script.rest(), plaintext_len);
    let envelope = &envelope;
    let params = SealParams {
        key: known::KEY,
        salt: known::SALT,
        chunk_log2,
        content,
        context,
        envelope,
        plaintext: &plaintext,
    };

    let container = reference::seal(&params);
    assert!(library::seal(&params) == container, "sealed from memory: the bytes differ");
    assert!(
        library::seal_by_stream(&params, write_len) == container,
        "sealed as a stream: the bytes differ"
    );
    let plan = Planned { bytes: &plaintext, planned: planned % (plaintext.len() + 1), write_len };
    let (by_plan, sealed) =
        library::draft(&params).seal_plan_to(&plan, Vec::new()).expect("writes to memory");
    assert!(by_plan == container, "sealed from a plan: the bytes differ");
    assert_eq!(
        (sealed.plaintext_len, sealed.container_len),
        (plaintext_len as u64, container.len() as u64)
    );
    let options = sealing_options(&params);
    assert_eq!(
        bulla::sealed_len(plaintext_len as u64, &options).expect("not too large"),
        container.len() as u64
    );
    let mut buffer = vec![0xEE; container.len()];
    library::draft(&params)
        .seal_into(&plaintext, &mut buffer)
        .expect("a buffer of the right length");
    assert!(buffer == container, "sealed into a buffer: the bytes differ");

    let found = reference::inspect(&container, true).expect("the reference opens what it sealed");
    let keys = reference::schedule(&known::KEY, &reference::bound(&found.header), context);
    let secret = reference::export(&keys.exporter, label);
    assert_eq!(*library::draft(&params).export(label), secret);
    assert_eq!(library::export(&container, &known::KEY, context, label), Ok(secret));

    let fresh = bulla::seal(&Key::from_bytes(&known::KEY), &plaintext, &options).expect("seals");
    for container in [&container[..], &fresh] {
        let opened = reference::open_positional(container, &known::KEY, context)
            .expect("it was just sealed");
        assert!(opened.plaintext == plaintext && opened.header_state == HeaderState::Intact);
        open::all(container, context, 0..plaintext_len as u64);
    }
}

/// Returns the options that correspond to `params`.
fn sealing_options<'a>(params: &SealParams<'a>) -> Options<'a> {
    options(params.context)
        .chunk_size(ChunkSize::from_log2(params.chunk_log2).expect("12 to 14"))
        .content_type(bulla::ContentType(params.content))
        .envelope_len(params.envelope.len() as u32)
}

/// A plaintext with a planned part, followed by a tail.
struct Planned<'b> {
    bytes: &'b [u8],
    planned: usize,
    write_len: usize,
}

impl Plan for Planned<'_> {
    fn planned_len(&self) -> u64 {
        self.planned as u64
    }

    fn fill(&self, slots: &mut [&mut [u8]], offset: u64) -> bulla::Result<()> {
        let mut at = offset as usize;
        for slot in slots {
            slot.copy_from_slice(&self.bytes[at..at + slot.len()]);
            at += slot.len();
        }
        assert!(at <= self.planned, "a request exceeds the planned length");
        Ok(())
    }

    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        self.bytes[self.planned..].chunks(self.write_len).try_for_each(|part| out.write_all(part))
    }
}
