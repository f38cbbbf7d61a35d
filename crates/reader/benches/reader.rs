//! Throughput of the reader, from event files to batches that are discarded, compared with
//! simd-json's tape of the same bytes.
//!
//! The reader reads files as a load does, with system calls and a fingerprint. simd-json parses
//! lines that are in memory, and decodes escapes but types no value. Both run on one thread.
//! `SPARKIFY_BENCH` names an event file or a folder of them; by default the benchmark generates its
//! input.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use simd_json::{Buffers, Tape};
use sparkify_reader::RecordKind;
use sparkify_sample_data::Request;
use sparkify_source::{Listing, Sources};
use sparkify_warehouse::{Batch, RowSource};

/// Input size: files are used up to this many bytes.
const ENOUGH: u64 = 60_000_000;

fn input() -> Listing {
    let folder = std::env::var("SPARKIFY_BENCH").map_or_else(|_| generated(), PathBuf::from);
    let mut listing =
        Sources::default().list(folder.to_str().expect("a name in UTF-8")).expect("event files");
    let mut bytes = 0;
    listing.objects.retain(|object| {
        bytes += object.size;
        bytes - object.size < ENOUGH
    });
    listing
}

fn generated() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sparkify-bench-{}", std::process::id()));
    let request = Request { songs: 2_000, events: 130_000, days: 3, ..Request::default() };
    sparkify_sample_data::generate(&folder, &request, &mut |_| {})
        .expect("space for generated events");
    folder.join("log_data")
}

fn reader(listing: &Listing) -> usize {
    let source = sparkify_reader::rows(RecordKind::Events, listing.objects.clone());
    let mut batch = Batch::new(&source.types());
    let mut rows = 0;
    loop {
        batch.clear();
        source.next(&mut batch).expect("readable events");
        if batch.is_empty() {
            return rows;
        }
        rows += black_box(&batch).len();
    }
}

fn tape(lines: &mut [u8]) -> usize {
    let (mut buffers, mut tape) = (Buffers::default(), Tape(Vec::new()).reset());
    let mut records = 0;
    for line in lines.split_mut(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut filled = tape.reset();
        simd_json::fill_tape(line, &mut buffers, &mut filled).expect("valid JSON");
        records += usize::from(!black_box(&filled).0.is_empty());
        tape = filled.reset();
    }
    records
}

fn compare(criterion: &mut Criterion) {
    let listing = input();
    let files = listing.objects.iter().map(|object| fs::read(&*object.key).expect("a file"));
    let lines = files.collect::<Vec<_>>().concat();
    assert_eq!(reader(&listing), tape(&mut lines.clone()), "records differ");
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Bytes(lines.len() as u64));
    group.bench_function("reader", |bench| bench.iter(|| reader(&listing)));
    group.bench_function("simd-json tape", |bench| {
        bench.iter_batched_ref(|| lines.clone(), |lines| tape(lines), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(4));
    targets = compare
}
criterion_main!(benches);
