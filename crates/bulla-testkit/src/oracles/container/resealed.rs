//! Authentic containers with faults that only someone with the key could introduce.

use super::header::header;
use super::open;
use crate::corrupt::{self, ContainerParts, HeaderCopy, field, seal_chunk_with_associated_data};
use crate::oracles::known;
use crate::oracles::script::{Script, stretch};
use crate::reference::{self, HEADER_LEN, SealParams};

/// Maximum number of changes to one container, enough to combine any two.
const CHANGES_MAX: usize = 24;

/// **Input: a description of a container and of changes to it.** The reference seals the container
/// under [`known::KEY`]. The changes are then applied in three stages:
///
/// 1. Header fields change, and everything is re-encrypted.
/// 2. Parts are swapped, truncated, duplicated, inserted, or sealed with another chunk number.
///    Checks stay valid, and inserted chunks are authentic.
/// 3. Bytes are flipped, removed, appended or inserted, and footers are planted.
///
/// The result must satisfy the guarantees of [`open_stream`](crate::oracles::open_stream()),
/// [`open_slice`](crate::oracles::open_slice()), [`open_range`](crate::oracles::open_range()) and
/// [`header`](crate::oracles::header()). The library must therefore agree with the reference on
/// authentic faults as well: it must release no other plaintext, return the same error, and not
/// panic.
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
    let container = changed(&params, &mut script);
    open::all(&container, context, part.0.min(part.1)..part.0.max(part.1));
    // A wrong or missing context must be reported before anything else.
    let other = if context.is_some() { None } else { Some(known::CONTEXT) };
    open::slice(&container, other);
    header(&container);
}

/// Seals the container that `params` describes and applies all changes in the script.
fn changed(params: &SealParams<'_>, script: &mut Script<'_>) -> Vec<u8> {
    let mut parts = ContainerParts::split(&reference::seal(params));
    if script.flag() {
        // Change bytes that the key schedule binds, and recompute the commitment and the chunks.
        let at = field::MAJOR + usize::from(script.byte()) % 56;
        let len = usize::from(script.byte() % 4).min(64 - at);
        let bytes = script.number(len).to_be_bytes();
        parts = parts.reseal(&params.key, params.context, at, &bytes[8 - len..]);
    }
    // Odd numbers modify individual parts. The first even number joins the parts, and later even
    // numbers modify bytes.
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
    let mut container = parts.to_bytes();
    while let Some(number) = first {
        container = change_bytes(container, params, number / 2, script);
        first = changes.next().and_then(|_| script.next());
    }
    container
}

fn change_parts(
    parts: ContainerParts,
    params: &SealParams<'_>,
    number: u8,
    script: &mut Script<'_>,
) -> ContainerParts {
    let keys = parts.keys(&params.key, params.context);
    let count = parts.chunks.len();
    let place =
        [HeaderCopy::Header, HeaderCopy::Footer, HeaderCopy::Both][usize::from(script.byte()) % 3];
    let mut chunk = || usize::from(script.byte()) % count.max(1);
    match number % 12 {
        0 | 1 => {
            let at = usize::from(script.byte()) % HEADER_LEN;
            let edited = parts.edit(place, at, &[script.byte()]);
            if number % 12 == 1 { edited.update_check(place) } else { edited }
        }
        2 => {
            let len = script.number(8).to_be_bytes();
            parts
                .edit(HeaderCopy::Footer, field::CONTAINER_LEN, &len)
                .update_check(HeaderCopy::Footer)
        }
        3 => {
            let (head, tail) = (script.run(), script.run());
            parts.envelopes(head, tail)
        }
        // Replace a chunk with an authentic one of any number and length, or insert such a chunk.
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
        0 if at < len => corrupt::flip_bit(&container, 8 * at + usize::from(script.byte()) % 8),
        1 => corrupt::truncate(&container, at),
        2 => corrupt::extend(&container, script.run()),
        3 => corrupt::extend(&container, &footer()),
        4 if at + HEADER_LEN <= len => {
            [&container[..at], &footer(), &container[at + HEADER_LEN..]].concat()
        }
        5 => corrupt::remove(&container, at, usize::from(script.byte()).min(len - at)),
        6 => corrupt::insert(&container, at, script.run()),
        // Splice in bytes from another container with the same shape, key and context.
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
