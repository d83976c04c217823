//! Sealing: the same bytes by every way, and those that the reference makes.

use std::io::{self, Write};

use bulla::{ChunkSize, Key, Options, Plan};

use super::known;
use super::openings;
use super::script::{Script, stretch};
use crate::library::{self, options};
use crate::reference::{self, HeaderState, SealParams};

/// **The bytes describe a container**: chunk size, content, context, envelope, how it is cut into
/// writes; the rest is the plaintext, repeated to the length that is asked for.
///
/// - Under one salt, the library seals it at once, into a buffer, by stream and by a plan to the
///   same bytes, which are those that the reference makes (F-2.1, F-3.1, F-3.2, F-4.3, F-5.1,
///   F-5.2), as long as was foretold; and exports the same secret (F-4.5).
/// - Under a salt of its own, the library seals what the reference opens.
/// - All of it opens again by every way to the same plaintext, both copies intact.
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
    assert!(library::seal(&params) == container, "at once");
    assert!(library::seal_by_stream(&params, write_len) == container, "by stream");
    let plan = Planned { bytes: &plaintext, planned: planned % (plaintext.len() + 1), write_len };
    let (by_plan, sealed) =
        library::draft(&params).seal_plan_to(&plan, Vec::new()).expect("writes to memory");
    assert!(by_plan == container, "by plan");
    assert_eq!(
        (sealed.plaintext_len, sealed.container_len),
        (plaintext_len as u64, container.len() as u64)
    );
    let with = with(&params);
    assert_eq!(
        bulla::sealed_len(plaintext_len as u64, &with).expect("not too large"),
        container.len() as u64
    );
    let mut buffer = vec![0xEE; container.len()];
    library::draft(&params)
        .seal_into(&plaintext, &mut buffer)
        .expect("a buffer of the right length");
    assert!(buffer == container, "into a buffer");

    let found = reference::look(&container, true).expect("the reference seals what it opens");
    let keys = reference::schedule(&known::KEY, &reference::bound(&found.copy), context);
    let secret = reference::export(&keys.exporter, label);
    assert_eq!(*library::draft(&params).export(label), secret);
    assert_eq!(library::export(&container, &known::KEY, context, label), Ok(secret));

    let fresh = bulla::seal(&Key::from_bytes(&known::KEY), &plaintext, &with).expect("seals");
    for container in [&container[..], &fresh] {
        let opened = reference::open_positional(container, &known::KEY, context)
            .expect("it was just sealed");
        assert!(opened.plaintext == plaintext && opened.header_state == HeaderState::Intact);
        openings::all(container, context, 0..plaintext_len as u64);
    }
}

fn with<'a>(params: &SealParams<'a>) -> Options<'a> {
    options(params.context)
        .chunk_size(ChunkSize::from_log2(params.chunk_log2).expect("12 to 14"))
        .content_type(bulla::ContentType(params.content))
        .envelope_len(params.envelope.len() as u32)
}

/// A plaintext of which a part is planned, and the rest is the tail.
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
        assert!(at <= self.planned, "no more than was planned is asked for");
        Ok(())
    }

    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        self.bytes[self.planned..].chunks(self.write_len).try_for_each(|part| out.write_all(part))
    }
}
