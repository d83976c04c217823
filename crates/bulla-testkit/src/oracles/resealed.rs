//! Containers that only the holder of the key could have made, or damaged so well.

use super::known;
use super::openings;
use super::script::{Script, stretch};
use crate::malform::{self, Parts, Place, field, seal_chunk_with_associated_data};
use crate::reference::{self, HEADER_LEN, SealParams};

/// Changes to one container, at most: enough for any of them to meet any other.
const CHANGES_MAX: usize = 24;

/// **The bytes describe a container and what befell it.** The reference seals the container under
/// [`known::KEY`]; then fields of its header are changed and all is sealed anew; then parts change
/// place, are cut, doubled, put in, or sealed under another number, with checks that hold; then
/// bytes are flipped, cut, added, planted. Chunks put in are authentic in themselves.
///
/// What comes of it is opened by stream, from memory and by range, with the promises of
/// [`open_stream`](super::open_stream), [`open_slice`](super::open_slice),
/// [`open_range`](super::open_range) and [`header`](super::header). So behind the tags, too, the
/// library does what the reference does: never other plaintext, the error that the reference names,
/// no panic.
pub fn resealed(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let context = script.flag().then_some(known::CONTEXT);
    let plaintext_len = script.within(0..=3 * 4096 + 2);
    let envelope = stretch(b"envelope", script.byte().into());
    let part = (script.number(2), script.number(2));
    let content = script.byte();
    let plaintext = stretch(b"resealed", plaintext_len);
    let params = SealParams {
        key: known::KEY,
        salt: known::SALT,
        chunk_log2: known::CHUNK_LOG2,
        content,
        context,
        envelope: &envelope,
        plaintext: &plaintext,
    };
    let container = damaged(&params, &mut script);
    openings::all(&container, context, part.0.min(part.1)..part.0.max(part.1));
    // Whoever gives another context, or none, learns that, and no more.
    let other = if context.is_some() { None } else { Some(known::CONTEXT) };
    openings::slice(&container, other);
    super::header(&container);
}

/// The container of `params`, and all that the script does to it.
fn damaged(params: &SealParams<'_>, script: &mut Script<'_>) -> Vec<u8> {
    let mut parts = Parts::of(&reference::seal(params));
    if script.flag() {
        // What the key schedule binds: commitment and chunks follow.
        let at = field::MAJOR + usize::from(script.byte()) % 56;
        let len = usize::from(script.byte() % 4).min(64 - at);
        let bytes = script.number(len).to_be_bytes();
        parts = parts.reseal(&params.key, params.context, at, &bytes[8 - len..]);
    }
    // Odd numbers change parts; the first even one joins them, and all that follow change bytes.
    let mut changes = 0..CHANGES_MAX;
    let mut first = None;
    while changes.next().is_some() && first.is_none() {
        match script.next() {
            Some(number) if number % 2 == 1 => {
                parts = change_parts(parts, params, number / 2, script)
            }
            Some(number) => first = Some(number),
            None => break,
        }
    }
    let mut container = parts.join();
    while let Some(number) = first {
        container = change_bytes(container, params, number / 2, script);
        first = changes.next().and_then(|_| script.next());
    }
    container
}

fn change_parts(
    parts: Parts,
    params: &SealParams<'_>,
    number: u8,
    script: &mut Script<'_>,
) -> Parts {
    let keys = parts.keys(&params.key, params.context);
    let count = parts.chunks.len();
    let place = [Place::Header, Place::Footer, Place::Both][usize::from(script.byte()) % 3];
    let mut chunk = || usize::from(script.byte()) % count.max(1);
    match number % 12 {
        0 | 1 => {
            let at = usize::from(script.byte()) % HEADER_LEN;
            let edited = parts.edit(place, at, &[script.byte()]);
            if number % 12 == 1 { edited.remake_check(place) } else { edited }
        }
        2 => {
            let len = script.number(8).to_be_bytes();
            parts.edit(Place::Footer, field::CONTAINER_LEN, &len).remake_check(Place::Footer)
        }
        3 => {
            let (head, tail) = (script.run(), script.run());
            parts.envelopes(head, tail)
        }
        // An authentic chunk of any number and length, in the place of one or before it.
        4 | 5 => {
            let (i, sealed_as) = (chunk(), chunk() as u64);
            let plaintext = stretch(b"another", script.within(0..=4097));
            let sealed = reference::seal_chunk(&keys, sealed_as, &plaintext);
            if number % 12 == 4 && i < count {
                parts.replace_chunk(i, sealed)
            } else {
                parts.insert_chunk(i.min(count), sealed)
            }
        }
        _ if count == 0 => parts,
        6 => {
            let (i, j) = (chunk(), chunk());
            parts.swap_chunks(i, j)
        }
        7 => parts.drop_chunk(chunk()),
        8 => {
            let i = chunk();
            let double = parts.chunks[i].clone();
            parts.insert_chunk(chunk(), double)
        }
        9 => {
            let i = chunk();
            let cut = script.within(0..=4112);
            let shorter = parts.chunks[i][..cut.min(parts.chunks[i].len())].to_vec();
            parts.replace_chunk(i, shorter)
        }
        10 => {
            let i = chunk();
            let sealed = seal_chunk_with_associated_data(&keys, i as u64, b"aad", script.run());
            parts.replace_chunk(i, sealed)
        }
        _ => {
            let (i, at) = (chunk(), script.number(2) as usize);
            let len = parts.chunks[i].len();
            if len == 0 { parts } else { parts.flip_chunk(i, at % len) }
        }
    }
}

fn change_bytes(
    container: Vec<u8>,
    params: &SealParams<'_>,
    number: u8,
    script: &mut Script<'_>,
) -> Vec<u8> {
    let len = container.len();
    let at = script.number(2) as usize % (len + 1);
    let footer = || {
        let sealed = reference::seal(params);
        sealed[sealed.len() - HEADER_LEN..].to_vec()
    };
    match number % 8 {
        0 if at < len => malform::flip_bit(&container, 8 * at + usize::from(script.byte()) % 8),
        1 => malform::truncate(&container, at),
        2 => malform::extend(&container, script.run()),
        3 => malform::extend(&container, &footer()),
        4 if at + HEADER_LEN <= len => {
            [&container[..at], &footer(), &container[at + HEADER_LEN..]].concat()
        }
        5 => malform::remove(&container, at, usize::from(script.byte()).min(len - at)),
        6 => malform::insert(&container, at, script.run()),
        // A run from another container of the same shape, key and context.
        7 => {
            let mut salt = params.salt;
            salt[0] ^= 1;
            let other = reference::seal(&SealParams { salt, ..*params });
            let end = (at + script.number(2) as usize).min(len).min(other.len());
            let mut spliced = container;
            if at < end {
                spliced[at..end].copy_from_slice(&other[at..end]);
            }
            spliced
        }
        _ => container,
    }
}
