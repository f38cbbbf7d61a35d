//! The quick way of reading a record against the tolerant one. The first byte says what the records are and how they arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sparkify::stage::{RecordKind, judge};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, stream)) = bytes.split_first() else { return };
    let kind = if first & 1 == 0 { RecordKind::Songs } else { RecordKind::Events };
    judge::quick_is_tolerant(kind, stream, usize::from(first >> 1));
});
