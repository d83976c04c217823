//! Salvage of a damaged archive, with and without its index. The bound is `limit/open` on one
//! thread.

use bulla::{Options, SalvageReader};
use bulla_archive::{IndexState, Recovered, Salvage};
use bulla_benches::seeded;
use bulla_benches::small_files::SmallFiles;
use bulla_benches::units::size_label;
use criterion::Criterion;

use crate::{large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    let files = SmallFiles::new(scaled(1000, 100), seeded::bytes(64 << 10));
    let mut archive = files.archive(&key, &options);
    // Corrupts one chunk in the middle.
    let middle = archive.len() / 2;
    archive[middle] ^= 1;
    let truncated = &archive[..archive.len() - (200 << 10)];

    let recovered = |archive: &[u8], expected: IndexState| {
        let mut salvage = Salvage::new(&key, archive, &options).expect("the key matches");
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
    let name = size_label(files.len());
    large(&mut criterion.benchmark_group("salvage/index-whole"), &name, files.len(), |bencher| {
        bencher.iter(|| recovered(&archive, IndexState::Whole));
    });
    large(&mut criterion.benchmark_group("salvage/index-lost"), &name, files.len(), |bencher| {
        bencher.iter(|| recovered(truncated, IndexState::Lost));
    });
    large(&mut criterion.benchmark_group("salvage/chunks"), &name, archive.len(), |bencher| {
        bencher.iter(|| {
            let reader = SalvageReader::new(&key, &archive[..], &options).expect("the key matches");
            (0..reader.max_chunks())
                .filter_map(|index| reader.chunk(index))
                .map(|chunk| chunk.len())
                .sum::<usize>()
        });
    });
}
