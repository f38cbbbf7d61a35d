//! Documented data types and the limits of their lengths.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};

/// Data type, as far as the rules for column attributes distinguish types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    SmallInt,
    Integer,
    BigInt,
    Decimal,
    Float,
    Boolean,
    Char,
    Varchar,
    Date,
    Time,
    Super,
    Bytes,
    Sketch,
}

const NUMERIC: &str = dg!("r_Numeric_types201");
const CHARACTER: &str = dg!("r_Character_types");
const DATETIME: &str = dg!("r_Datetime_types");
const VARBYTE: &str = dg!("r_VARBYTE_type");

/// Name, type, page. The parser handles further keywords of a type, as in `double precision` and
/// `timestamp with time zone`.
const TYPES: &[(&str, DataType, &str)] = &[
    ("smallint", DataType::SmallInt, NUMERIC),
    ("int2", DataType::SmallInt, NUMERIC),
    ("integer", DataType::Integer, NUMERIC),
    ("int", DataType::Integer, NUMERIC),
    ("int4", DataType::Integer, NUMERIC),
    ("bigint", DataType::BigInt, NUMERIC),
    ("int8", DataType::BigInt, NUMERIC),
    ("decimal", DataType::Decimal, NUMERIC),
    ("numeric", DataType::Decimal, NUMERIC),
    ("dec", DataType::Decimal, dg!("r_STDDEV_functions")),
    ("real", DataType::Float, NUMERIC),
    ("float4", DataType::Float, NUMERIC),
    ("double", DataType::Float, NUMERIC),
    ("float8", DataType::Float, NUMERIC),
    ("float", DataType::Float, NUMERIC),
    ("boolean", DataType::Boolean, dg!("r_Boolean_type")),
    ("bool", DataType::Boolean, dg!("r_Boolean_type")),
    ("char", DataType::Char, CHARACTER),
    ("character", DataType::Char, CHARACTER),
    ("nchar", DataType::Char, CHARACTER),
    ("bpchar", DataType::Char, CHARACTER),
    ("varchar", DataType::Varchar, CHARACTER),
    ("nvarchar", DataType::Varchar, CHARACTER),
    ("text", DataType::Varchar, CHARACTER),
    ("date", DataType::Date, DATETIME),
    ("time", DataType::Time, DATETIME),
    ("timetz", DataType::Time, DATETIME),
    ("timestamp", DataType::Time, DATETIME),
    ("timestamptz", DataType::Time, DATETIME),
    ("super", DataType::Super, dg!("r_SUPER_type")),
    ("varbyte", DataType::Bytes, VARBYTE),
    ("varbinary", DataType::Bytes, VARBYTE),
    ("binary", DataType::Bytes, VARBYTE),
    ("hllsketch", DataType::Sketch, dg!("r_HLLSKTECH_type")),
];

/// PostgreSQL types that are documented as unsupported, and their replacements.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("uuid", "char(36)"),
    ("json", "super, or varchar"),
    ("jsonb", "super, or varchar"),
    ("bytea", "varbyte"),
    ("blob", "varbyte"),
    ("serial", "bigint identity(0, 1)"),
    ("bigserial", "bigint identity(0, 1)"),
    ("smallserial", "bigint identity(0, 1)"),
    ("money", "decimal"),
    ("bit", "boolean"),
    ("hstore", "super"),
    ("xml", "varchar"),
    ("inet", "varchar"),
    ("cidr", "varchar"),
    ("macaddr", "varchar"),
    ("tsvector", "varchar"),
    ("tsquery", "varchar"),
    ("int4range", "two columns"),
    ("int8range", "two columns"),
    ("numrange", "two columns"),
    ("tsrange", "two columns"),
    ("tstzrange", "two columns"),
    ("daterange", "two columns"),
    ("oid", "bigint"),
    ("regclass", "varchar"),
    ("name", "varchar"),
    ("interval", "bigint"),
    ("point", "two columns"),
    ("circle", "columns"),
    ("polygon", "columns"),
];

/// The types as allow-list entries.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    TYPES.iter().map(|(id, _, page)| Rule::allowed(RuleKind::Type, id, page))
}

impl Parser<'_> {
    /// Parses a type with its length.
    pub(crate) fn data_type(&mut self) -> Parsed<DataType> {
        let token = self.peek();
        let known = TYPES.iter().find(|(name, ..)| token.is_word(name));
        let Some((name, kind, _)) = known else { return self.unknown_type() };
        self.advance();
        match *name {
            "double" => self.expect("precision")?,
            "binary" => self.expect("varying")?,
            "time" | "timestamp" => self.time_zone()?,
            _ => {}
        }
        let varying = matches!(*name, "character" | "char") && self.eat("varying");
        let kind = if varying { DataType::Varchar } else { *kind };
        self.length(name, kind)?;
        if self.is_symbol("[") || self.is("array") {
            return self.violation(&rules::TYPE_MISSING, "array types are not supported");
        }
        Ok(kind)
    }

    fn unknown_type<T>(&self) -> Parsed<T> {
        let token = self.peek();
        if !matches!(token.kind, TokenKind::Word | TokenKind::QuotedName) {
            return self.unexpected("a type");
        }
        let message = format!("unknown type {}", token.describe());
        match UNSUPPORTED.iter().find(|(name, _)| token.is_word(name)) {
            Some((_, instead)) => {
                let result: Parsed<T> = self.violation(&rules::TYPE_MISSING, message);
                result.map_err(|violation| violation.with_hint(format!("write `{instead}`")))
            }
            None => self.violation(&rules::TYPE_UNKNOWN, message),
        }
    }

    fn time_zone(&mut self) -> Parsed {
        if self.is_any(&["with", "without"]) && self.peek_nth(1).is_word("time") {
            self.advance();
            self.expect_sequence(&["time", "zone"])?;
        }
        Ok(())
    }

    fn length(&mut self, name: &str, kind: DataType) -> Parsed {
        if !self.is_symbol("(") {
            return Ok(());
        }
        let max = match kind {
            DataType::Decimal => return self.precision(),
            // `text` is always varchar(256).
            _ if name == "text" => return self.unexpected("no length after this type"),
            DataType::Char => 4096,
            DataType::Varchar => 65_535,
            DataType::Bytes => 16_777_216,
            _ => return self.unexpected("no length after this type"),
        };
        self.expect_symbol("(")?;
        if kind == DataType::Varchar && self.eat("max") {
            return self.expect_symbol(")");
        }
        let token = self.peek();
        let length = self.integer("a length")?;
        if length == 0 || length > max {
            let message = format!("the length {length} of `{name}` is out of range");
            let page = if kind == DataType::Bytes { VARBYTE } else { rules::TYPE_LENGTH.page };
            return Err(
                crate::Violation::new(&rules::TYPE_LENGTH, token.at, message).with_page(page)
            );
        }
        self.expect_symbol(")")
    }

    fn precision(&mut self) -> Parsed {
        self.expect_symbol("(")?;
        let precision = self.integer("a precision")?;
        let scale = if self.eat_symbol(",") { self.integer("a scale")? } else { 0 };
        if precision == 0 || precision > 38 || scale > 37 || scale > precision {
            let message = format!("decimal({precision}, {scale}) is out of range");
            return self.violation(&rules::TYPE_PRECISION, message);
        }
        self.expect_symbol(")")
    }
}
