//! Encoder of statement parameters (`$1`, `$2` …), in the binary format of the type that the
//! statement infers for them.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use super::decode::EPOCH;
use sparkify_warehouse::Value;

/// Value of one parameter.
#[derive(Debug)]
pub(super) struct Parameter<'a>(pub &'a Value);

type Encoded = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        let mismatch = || format!("cannot convert `{}` to type {kind}", self.0);
        match (self.0, kind) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Bool(value), &Type::BOOL) => out.extend_from_slice(&[u8::from(*value)]),
            (Value::Int(value), &Type::INT2) => {
                out.extend_from_slice(
                    &i16::try_from(*value).map_err(|_| mismatch())?.to_be_bytes(),
                );
            }
            (Value::Int(value), &Type::INT4) => {
                out.extend_from_slice(
                    &i32::try_from(*value).map_err(|_| mismatch())?.to_be_bytes(),
                );
            }
            (Value::Int(value), &Type::INT8) => {
                out.extend_from_slice(
                    &i64::try_from(*value).map_err(|_| mismatch())?.to_be_bytes(),
                );
            }
            (Value::Double(value), &Type::FLOAT8) => out.extend_from_slice(&value.to_be_bytes()),
            (Value::Timestamp(micros), &Type::TIMESTAMP) => {
                out.extend_from_slice(&micros.saturating_sub(EPOCH).to_be_bytes());
            }
            (Value::Bytes(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME) => {
                out.extend_from_slice(text.as_bytes());
            }
            _ => return Err(mismatch().into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        self.to_sql(kind, out)
    }
}
