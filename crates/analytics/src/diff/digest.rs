//! Values as bytes that no other values have, and these as digests: equal when the values are, bit by bit and type by type.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use sparkify_warehouse::Value;

/// Makes digests; it keeps its buffer from row to row.
#[derive(Default)]
pub(super) struct Digester {
    bytes: Vec<u8>,
}

impl Digester {
    /// Of several values in their order.
    pub(super) fn of<'a>(&mut self, values: impl Iterator<Item = &'a Value>) -> u128 {
        self.bytes.clear();
        values.for_each(|value| encode(value, &mut self.bytes));
        xxh3_128(&self.bytes)
    }

    /// Of one value, for telling columns apart in rows that are known to differ.
    pub(super) fn of_one(&mut self, value: &Value) -> u64 {
        self.bytes.clear();
        encode(value, &mut self.bytes);
        xxh3_64(&self.bytes)
    }
}

/// The type's tag, for text and bytes their length, then the value.
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
    fn values_that_look_alike_have_other_digests() {
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
