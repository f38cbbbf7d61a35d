//! Differential fuzzing of the fast path against the slow path. The first byte selects the record
//! kind and the chunk size.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sparkify_reader::{RecordKind, differential};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, stream)) = bytes.split_first() else { return };
    let kind = if first & 1 == 0 { RecordKind::Songs } else { RecordKind::Events };
    differential::fast_path_equals_slow_path(kind, stream, usize::from(first >> 1));
});
