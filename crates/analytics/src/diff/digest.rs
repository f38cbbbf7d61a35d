//! Digests of rows. Values are encoded unambiguously, so digests are equal exactly if the values
//! have the same types and bits (up to hash collisions, negligible at 128 bits).

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use sparkify_warehouse::Value;

/// Computes digests and reuses one buffer for all rows.
#[derive(Default)]
pub(super) struct Digester {
    bytes: Vec<u8>,
}

impl Digester {
    /// Returns the digest of several values in their order.
    pub(super) fn of<'a>(&mut self, values: impl Iterator<Item = &'a Value>) -> u128 {
        self.bytes.clear();
        values.for_each(|value| encode(value, &mut self.bytes));
        xxh3_128(&self.bytes)
    }

    /// Returns a short digest of one value, to find the columns in which two rows differ. 64 bits
    /// suffice because the rows are known to differ.
    pub(super) fn of_one(&mut self, value: &Value) -> u64 {
        self.bytes.clear();
        encode(value, &mut self.bytes);
        xxh3_64(&self.bytes)
    }
}

/// Appends the type tag, the length (text and bytes only) and the value. Tags and lengths make the
/// encoding of a row unambiguous: `("ab", "c")` and `("a", "bc")` have different bytes.
fn encode(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(0),
        Value::Bool(value) => bytes.extend([1, u8::from(*value)]),
        Value::Int(value) => tagged(2, &value.to_le_bytes(), bytes),
        Value::Double(value) => tagged(3, &value.to_bits().to_le_bytes(), bytes),
        Value::Timestamp(micros) => tagged(4, &micros.to_le_bytes(), bytes),
        Value::Text(text) => sized(5, text.as_bytes(), bytes),
        Value::Bytes(value) => sized(6, value, bytes),
    }
}

fn tagged(tag: u8, value: &[u8], bytes: &mut Vec<u8>) {
    bytes.push(tag);
    bytes.extend_from_slice(value);
}

fn sized(tag: u8, value: &[u8], bytes: &mut Vec<u8>) {
    tagged(tag, &(value.len() as u64).to_le_bytes(), bytes);
    bytes.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_values_have_different_digests() {
        let text = |text: &str| Value::Text(text.into());
        let rows = [
            vec![Value::Null, text("")],
            vec![text(""), Value::Null],
            vec![text("")],
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![Value::Int(1)],
            vec![Value::Double(1.0)],
            vec![Value::Timestamp(1)],
            vec![Value::Bool(true)],
            vec![text("1")],
            vec![Value::Bytes(b"1".to_vec())],
            vec![Value::Double(0.0)],
            vec![Value::Double(-0.0)],
            vec![Value::Double(f64::NAN)],
        ];
        let digests: std::collections::BTreeSet<u128> =
            rows.iter().map(|row| Digester::default().of(row.iter())).collect();
        assert_eq!(digests.len(), rows.len());
        let again = [Value::Double(f64::NAN)];
        assert!(digests.contains(&Digester::default().of(again.iter())));
    }
}
