//! [`Sealer`] and [`Opener`], from memory to memory. The bounds are `limit/seal` and `limit/open`,
//! plus one more copy.

use std::hint::black_box;

use bulla::{Opener, Options, Sealer};
use bulla_benches::seeded;
use bulla_benches::threads::Threads;
use bulla_benches::units::size_label;
use criterion::Criterion;

use crate::{CHUNKS, large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let plaintext = seeded::bytes(scaled(256 << 20, 3 << 20));
    let key = seeded::key();
    for threads in Threads::each() {
        for chunk in CHUNKS {
            let options = Options::new().chunk_size(chunk).workers(threads.workers());
            let name = format!(
                "{}/{}/threads={}",
                size_label(chunk.bytes()),
                size_label(plaintext.len()),
                threads.count()
            );
            large(
                &mut criterion.benchmark_group("stream/seal"),
                &name,
                plaintext.len(),
                |bencher| {
                    let len = bulla::sealed_len(plaintext.len() as u64, &options)
                        .expect("the length is within the format's limit");
                    let mut container = vec![1; len as usize];
                    bencher.iter(|| {
                        let mut sealer = Sealer::new(&key, &mut container[..], &options)
                            .expect("the output is long enough");
                        sealer.copy_from(&mut &plaintext[..]).expect("sealing succeeds");
                        black_box(sealer.finish().expect("sealing succeeds"));
                    });
                },
            );
            large(
                &mut criterion.benchmark_group("stream/open"),
                &name,
                plaintext.len(),
                |bencher| {
                    let container =
                        bulla::seal(&key, &plaintext, &options).expect("sealing succeeds");
                    let mut out = vec![1; plaintext.len()];
                    bencher.iter(|| {
                        let mut opener =
                            Opener::new(&key, &container[..], &options).expect("opening succeeds");
                        opener.copy_to(&mut &mut out[..]).expect("opening succeeds");
                    });
                    assert_eq!(out, plaintext);
                },
            );
        }
    }
}
