//! What is left of a damaged archive, with its index and without. The limits are those of `open`,
//! on one thread.

use bulla::{Options, SalvageReader};
use bulla_archive::{IndexState, Recovered, Salvage};
use bulla_benches::names::size;
use bulla_benches::seeded;
use bulla_benches::small_files::SmallFiles;
use criterion::Criterion;

use crate::{large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    let files = SmallFiles::new(scaled(1000, 100), seeded::bytes(64 << 10));
    let mut archive = files.archive(&key, &options);
    // A chunk in the middle is damaged.
    let middle = archive.len() / 2;
    archive[middle] ^= 1;
    let cut = &archive[..archive.len() - (200 << 10)];

    let recovered = |archive: &[u8], expected: IndexState| {
        let mut salvage = Salvage::new(&key, archive, &options).expect("a key that fits");
        let bytes: usize = salvage
            .by_ref()
            .map(|recovered| match recovered {
                Recovered::Piece { bytes, .. } => bytes.len(),
                _ => 0,
            })
            .sum();
        assert_eq!(salvage.summary().index, expected);
        assert!(bytes > files.len() * 9 / 10, "{bytes} bytes");
    };
    let name = size(files.len());
    large(&mut criterion.benchmark_group("salvage/index-whole"), &name, files.len(), |bencher| {
        bencher.iter(|| recovered(&archive, IndexState::Whole));
    });
    large(&mut criterion.benchmark_group("salvage/index-lost"), &name, files.len(), |bencher| {
        bencher.iter(|| recovered(cut, IndexState::Lost));
    });
    large(&mut criterion.benchmark_group("salvage/chunks"), &name, archive.len(), |bencher| {
        bencher.iter(|| {
            let reader = SalvageReader::new(&key, &archive[..], &options).expect("a key that fits");
            (0..reader.max_chunks())
                .filter_map(|index| reader.chunk(index))
                .map(|chunk| chunk.len())
                .sum::<usize>()
        });
    });
}
