//! UDF that computes the identity of a play, in less than half the time of the same expression in
//! SQL.
//!
//! The SQL expression formats the md5 as 32 digits and parses them again as a UUID, which took a
//! seventh of the time to build the fact table. `native.sql` puts this UDF behind the macro that
//! `prelude.sql` defines in SQL. A test compares both.
#![expect(unsafe_code, reason = "DuckDB's vectors are raw memory")]

use std::error::Error;
use std::io::{Cursor, Write};

use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::ffi;
use duckdb::vscalar::{ScalarFunctionSignature, VScalar};
use duckdb::vtab::arrow::WritableVector;
use md5::{Digest, Md5};

/// Name of the UDF in SQL.
pub(super) const NAME: &str = "sparkify_identity";

/// Length of the longest text to hash: four numbers of at most 20 characters and three bars.
const LONGEST: usize = 4 * 20 + 3;

/// `sparkify_identity(a, b, c, d, without_d)`: the md5 of `a|b|c|d` in decimal digits as a UUID.
/// Nothing follows the last bar if `without_d`. The result is null if any argument is null.
pub(super) struct Identity;

impl VScalar for Identity {
    type State = ();

    fn invoke(
        (): &(),
        input: &mut DataChunkHandle,
        output: &mut dyn WritableVector,
    ) -> Result<(), Box<dyn Error>> {
        let rows = input.len();
        if input.num_columns() != 5 {
            return Err("sparkify_identity takes five arguments".into());
        }
        // SAFETY: the signature declares four arguments of type BIGINT, stored as `i64`, and one
        // BOOLEAN, stored as a byte. DuckDB flattens the arguments, so each vector has `rows`
        // values, and it keeps them alive during this call.
        let (numbers, without) = unsafe {
            (
                [0, 1, 2, 3].map(|index| Argument::<i64>::new(input, index)),
                Argument::<u8>::new(input, 4),
            )
        };
        let mut identities = output.flat_vector();
        if rows > identities.capacity() {
            return Err("sparkify_identity got more rows than a vector holds".into());
        }
        // SAFETY: the signature declares UUID as the result, which DuckDB stores as a 128-bit
        // integer.
        let results = unsafe { identities.as_mut_ptr::<i128>() };
        for row in 0..rows {
            // SAFETY: `row` is less than `rows`.
            let values =
                unsafe { (numbers.each_ref().map(|number| number.get(row)), without.get(row)) };
            let ([Some(a), Some(b), Some(c), Some(d)], Some(without)) = values else {
                identities.set_null(row);
                continue;
            };
            let value = identity([a, b, c], (without == 0).then_some(d))?;
            // SAFETY: `row` is less than `rows`, which is at most the vector's capacity. DuckDB
            // aligns 128-bit integers to 8 bytes only, so the write must not assume the alignment
            // of `i128`.
            unsafe { results.add(row).write_unaligned(value) };
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

/// Values of one argument, and the mask that tells which of them are null.
///
/// DuckDB does not initialize the value of a null row, so the mask is consulted before a value is
/// read.
struct Argument<T> {
    values: *const T,
    /// One bit per row, in words of 64; the pointer is null if no row is.
    validity: *const u64,
}

impl<T: Copy> Argument<T> {
    /// Reads the pointers of argument `index`.
    ///
    /// # Safety
    /// `input` has an argument `index`, whose flat vector stores values of type `T`. The result is
    /// used only while `input` is alive.
    unsafe fn new(input: &DataChunkHandle, index: u64) -> Self {
        // SAFETY: the chunk has this vector, by the caller's promise.
        unsafe {
            let vector = ffi::duckdb_data_chunk_get_vector(input.get_ptr(), index);
            Self {
                values: ffi::duckdb_vector_get_data(vector).cast::<T>(),
                validity: ffi::duckdb_vector_get_validity(vector),
            }
        }
    }

    /// Returns the value of a row; none if it is null.
    ///
    /// # Safety
    /// `row` is less than the number of rows in the chunk.
    unsafe fn get(&self, row: usize) -> Option<T> {
        // SAFETY: a mask that exists has a bit for each row. A row whose bit is set has an
        // initialized value.
        unsafe {
            let is_valid =
                self.validity.is_null() || *self.validity.add(row / 64) >> (row % 64) & 1 == 1;
            is_valid.then(|| *self.values.add(row))
        }
    }
}

/// Returns the md5 as `DuckDB` stores a UUID: big-endian, with the first bit flipped so that
/// integers sort as UUIDs do.
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
    use std::path::Path;

    use super::{Digest, Md5, identity};
    use crate::{DuckDb, Limits};
    use sparkify_warehouse::{Access, Value, Warehouse};

    #[test]
    fn identity_is_the_md5_of_the_parts_with_its_first_bit_flipped() {
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

    fn warehouse() -> DuckDb {
        let limits = Limits { memory: 1 << 28, threads: 1 };
        DuckDb::open(Path::new(":memory:"), Access::Write, limits).unwrap()
    }

    fn results(arguments: &str, from: &str) -> Vec<Value> {
        let query = format!("select sparkify_identity({arguments})::varchar from {from}");
        warehouse().query(&query, &[], usize::MAX).unwrap().rows.concat()
    }

    #[test]
    fn a_null_argument_makes_a_null_result() {
        // Each of the 200 rows has one null argument or none, in every word of the validity mask.
        let columns = (0..5)
            .map(|at| {
                let value = if at == 4 { "false" } else { "i" };
                format!("case when i % 6 <> {at} then {value} end as c{at}")
            })
            .collect::<Vec<_>>();
        let from = format!("(select {} from range(200) t(i)) order by all", columns.join(", "));
        let found = results("c0, c1, c2, c3, c4", &from);
        let with_value = (0..200).filter(|row| row % 6 == 5).count();
        assert_eq!(found.len(), 200);
        assert_eq!(found.iter().filter(|value| **value != Value::Null).count(), with_value);
    }

    #[test]
    fn constant_and_dictionary_arguments_are_read_like_columns() {
        let of_columns = results("a, 2, 3, 4, false", "(values (1), (1)) t(a)");
        assert_eq!(of_columns.len(), 2);
        assert_eq!(of_columns[0], of_columns[1]);
        assert_eq!(results("1, 2, 3, 4, false", "(values (1)) t(a)")[0], of_columns[0]);
        assert_eq!(results("1, 2, null::bigint, 4, false", "range(3)"), vec![Value::Null; 3]);
        let joined = "range(5000) t(i) join (values (0, 1), (1, null)) u(k, a) on i % 2 = k";
        let joined = results("a, 2, 3, 4, false", joined);
        assert_eq!(joined.iter().filter(|value| **value == of_columns[0]).count(), 2500);
        assert_eq!(joined.iter().filter(|value| **value == Value::Null).count(), 2500);
    }
}
