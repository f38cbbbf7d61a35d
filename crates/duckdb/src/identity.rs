//! The identity of a play, computed here instead of in SQL: the same value for less than half of the time.
//!
//! In SQL the md5 becomes 32 digits that are read back into a uuid, and that was a seventh of making the fact table. `native.sql` puts
//! this function behind the name that `prelude.sql` defines in SQL; a test holds the two together.
#![expect(unsafe_code, reason = "DuckDB's vectors are raw memory")]

use std::error::Error;
use std::io::{Cursor, Write};

use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::vscalar::{ScalarFunctionSignature, VScalar};
use duckdb::vtab::arrow::WritableVector;
use md5::{Digest, Md5};

/// The function's name in SQL.
pub(super) const NAME: &str = "sparkify_identity";

/// Room for four numbers of at most 20 characters and three bars.
const LONGEST: usize = 4 * 20 + 3;

/// `sparkify_identity(a, b, c, d, without_d)`: the md5 of `a|b|c|d` in decimal digits as a uuid, nothing behind the last bar if `without_d`.
/// None of the five is null.
pub(super) struct Identity;

impl VScalar for Identity {
    type State = ();

    fn invoke(
        (): &(),
        input: &mut DataChunkHandle,
        output: &mut dyn WritableVector,
    ) -> Result<(), Box<dyn Error>> {
        let rows = input.len();
        let vectors = [0, 1, 2, 3, 4].map(|index| input.flat_vector(index));
        let mut identities = output.flat_vector();
        // SAFETY: the vectors have the types of the signature and `rows` values each; a uuid is held as a 128-bit integer.
        let (numbers, without, identities) = unsafe {
            (
                [0, 1, 2, 3].map(|index: usize| vectors[index].as_slice_with_len::<i64>(rows)),
                vectors[4].as_slice_with_len::<u8>(rows),
                identities.as_mut_slice_with_len::<i128>(rows),
            )
        };
        for row in 0..rows {
            let last = (without[row] == 0).then_some(numbers[3][row]);
            identities[row] = identity([numbers[0][row], numbers[1][row], numbers[2][row]], last)?;
        }
        Ok(())
    }

    fn signatures() -> Vec<ScalarFunctionSignature> {
        let kind = |id| LogicalTypeHandle::from(id);
        let mut parameters: Vec<_> = (0..4).map(|_| kind(LogicalTypeId::Bigint)).collect();
        parameters.push(kind(LogicalTypeId::Boolean));
        vec![ScalarFunctionSignature::exact(parameters, kind(LogicalTypeId::Uuid))]
    }
}

/// The md5 as `DuckDB` holds a uuid: big-endian, the first bit flipped so that integers sort as uuids do.
fn identity(first: [i64; 3], last: Option<i64>) -> std::io::Result<i128> {
    let mut text = [0_u8; LONGEST];
    let mut rest = Cursor::new(&mut text[..]);
    let mut digits = itoa::Buffer::new();
    for number in first {
        rest.write_all(digits.format(number).as_bytes())?;
        rest.write_all(b"|")?;
    }
    if let Some(number) = last {
        rest.write_all(digits.format(number).as_bytes())?;
    }
    let length = usize::try_from(rest.position()).unwrap_or(LONGEST);
    let digest: [u8; 16] = Md5::digest(&text[..length]).into();
    Ok(i128::from_be_bytes(digest) ^ i128::MIN)
}

#[cfg(test)]
mod tests {
    use super::{Digest, Md5, identity};

    #[test]
    fn is_the_md5_of_the_parts_with_its_first_bit_flipped() {
        let of = |last| {
            format!("{:032x}", identity([583, 6, 1_541_121_934_796], last).unwrap() ^ i128::MIN)
        };
        let md5 = |text: &str| format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()));
        assert_eq!(of(Some(10)), md5("583|6|1541121934796|10"));
        assert_eq!(of(None), md5("583|6|1541121934796|"));
        let widest = identity([i64::MIN; 3], Some(i64::MIN)).unwrap();
        assert_eq!(
            format!("{:032x}", widest ^ i128::MIN),
            md5(&vec![i64::MIN.to_string(); 4].join("|"))
        );
    }
}
