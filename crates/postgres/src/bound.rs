//! Values from us to a statement's `$1`, `$2` …, in the binary form of the type that the statement gives them.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use super::answer::EPOCH;
use sparkify_warehouse::Value;

/// One value.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub &'a Value);

type Written = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Written {
        let misfit = || format!("`{}` is no {kind}", self.0);
        match (self.0, kind) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Bool(value), &Type::BOOL) => out.extend_from_slice(&[u8::from(*value)]),
            (Value::Int(value), &Type::INT2) => {
                out.extend_from_slice(&i16::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
            }
            (Value::Int(value), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
            }
            (Value::Int(value), &Type::INT8) => {
                out.extend_from_slice(&i64::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
            }
            (Value::Double(value), &Type::FLOAT8) => out.extend_from_slice(&value.to_be_bytes()),
            (Value::Timestamp(micros), &Type::TIMESTAMP) => {
                out.extend_from_slice(&micros.saturating_sub(EPOCH).to_be_bytes());
            }
            (Value::Bytes(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME) => {
                out.extend_from_slice(text.as_bytes());
            }
            _ => return Err(misfit().into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    fn to_sql_checked(&self, kind: &Type, out: &mut BytesMut) -> Written {
        self.to_sql(kind, out)
    }
}
