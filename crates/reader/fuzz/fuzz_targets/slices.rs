//! Differential fuzzing of parallel slices against one thread. The first two bytes select the
//! record kind and the slices.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use sparkify_reader::{RecordKind, differential};

fuzz_target!(|bytes: &[u8]| {
    let [first, second, stream @ ..] = bytes else { return };
    let kind = if first & 1 == 0 { RecordKind::Songs } else { RecordKind::Events };
    let (lines, size) = (usize::from(first >> 5), usize::from(*second) * 4);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    // Compression is not a subject of this test.
    let skippable = matches!(stream, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
    if skippable || stream.starts_with(b"\x1f\x8b") || stream.starts_with(b"\x28\xb5\x2f\xfd") {
        return;
    }
    file.write_all(stream).expect("a written file");
    differential::sliced_equals_whole(kind, file.path().to_str().expect("a name"), lines, size);
});
