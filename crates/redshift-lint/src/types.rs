//! The data types that Redshift documents, with the bounds of their lengths.

use crate::lexer::Kind;
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};

/// What a column's attributes need to know of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
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

/// Name, type, page. `double precision`, `character varying`, `binary varying` and `with time zone` are read behind their first words.
const TYPES: &[(&str, Type, &str)] = &[
    ("smallint", Type::SmallInt, NUMERIC),
    ("int2", Type::SmallInt, NUMERIC),
    ("integer", Type::Integer, NUMERIC),
    ("int", Type::Integer, NUMERIC),
    ("int4", Type::Integer, NUMERIC),
    ("bigint", Type::BigInt, NUMERIC),
    ("int8", Type::BigInt, NUMERIC),
    ("decimal", Type::Decimal, NUMERIC),
    ("numeric", Type::Decimal, NUMERIC),
    ("real", Type::Float, NUMERIC),
    ("float4", Type::Float, NUMERIC),
    ("double", Type::Float, NUMERIC),
    ("float8", Type::Float, NUMERIC),
    ("float", Type::Float, NUMERIC),
    ("boolean", Type::Boolean, dg!("r_Boolean_type")),
    ("bool", Type::Boolean, dg!("r_Boolean_type")),
    ("char", Type::Char, CHARACTER),
    ("character", Type::Char, CHARACTER),
    ("nchar", Type::Char, CHARACTER),
    ("bpchar", Type::Char, CHARACTER),
    ("varchar", Type::Varchar, CHARACTER),
    ("nvarchar", Type::Varchar, CHARACTER),
    ("text", Type::Varchar, CHARACTER),
    ("date", Type::Date, DATETIME),
    ("time", Type::Time, DATETIME),
    ("timetz", Type::Time, DATETIME),
    ("timestamp", Type::Time, DATETIME),
    ("timestamptz", Type::Time, DATETIME),
    ("super", Type::Super, dg!("r_SUPER_type")),
    ("varbyte", Type::Bytes, VARBYTE),
    ("varbinary", Type::Bytes, VARBYTE),
    ("binary", Type::Bytes, VARBYTE),
    ("hllsketch", Type::Sketch, dg!("r_HLLSKTECH_type")),
];

/// Types of PostgreSQL that Redshift says that it lacks, and what to write.
const MISSING: &[(&str, &str)] = &[
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

/// The types as entries of the list.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    TYPES.iter().map(|(id, _, page)| Rule { id, kind: RuleKind::Type, says: "", page, hint: "" })
}

impl Parser<'_> {
    /// A type with its length.
    pub(crate) fn data_type(&mut self) -> Parsed<Type> {
        let token = self.peek();
        let known = TYPES.iter().find(|(name, ..)| token.is_word(name));
        let Some((name, kind, _)) = known else { return self.unknown_type() };
        self.take();
        match *name {
            "double" => self.expect("precision")?,
            "binary" => self.expect("varying")?,
            "time" | "timestamp" => self.time_zone()?,
            _ => {}
        }
        let varying = matches!(*name, "character" | "char") && self.eat("varying");
        let kind = if varying { Type::Varchar } else { *kind };
        self.length(name, kind)?;
        if self.is_sign("[") || self.is("array") {
            return self.refuse(&rules::TYPE_MISSING, "an array type stands here");
        }
        Ok(kind)
    }

    fn unknown_type<T>(&self) -> Parsed<T> {
        let token = self.peek();
        if !matches!(token.kind, Kind::Word | Kind::Quoted) {
            return self.unexpected("a type");
        }
        let message = format!("there is no type {}", token.shown());
        match MISSING.iter().find(|(name, _)| token.is_word(name)) {
            Some((_, instead)) => {
                let refused: Parsed<T> = self.refuse(&rules::TYPE_MISSING, message);
                refused.map_err(|refusal| refusal.hint(format!("write `{instead}`")))
            }
            None => self.refuse(&rules::TYPE_UNKNOWN, message),
        }
    }

    fn time_zone(&mut self) -> Parsed {
        if self.is_any(&["with", "without"]) && self.ahead(1).is_word("time") {
            self.take();
            self.expect_all(&["time", "zone"])?;
        }
        Ok(())
    }

    fn length(&mut self, name: &str, kind: Type) -> Parsed {
        if !self.is_sign("(") {
            return Ok(());
        }
        let most = match kind {
            Type::Decimal => return self.precision(),
            // `text` is varchar(256), whatever stands behind it.
            _ if name == "text" => return self.unexpected("no length"),
            Type::Char => 4096,
            Type::Varchar => 65_535,
            Type::Bytes => 16_777_216,
            _ => return self.unexpected("no length"),
        };
        self.expect_sign("(")?;
        if kind == Type::Varchar && self.eat("max") {
            return self.expect_sign(")");
        }
        let at = self.peek();
        let length = self.integer("a length")?;
        if length == 0 || length > most {
            let message = format!("`{name}` has no length {length}");
            let page = if kind == Type::Bytes { VARBYTE } else { rules::TYPE_LENGTH.page };
            return Err(crate::Refusal::new(&rules::TYPE_LENGTH, at.at, message).page(page));
        }
        self.expect_sign(")")
    }

    fn precision(&mut self) -> Parsed {
        self.expect_sign("(")?;
        let precision = self.integer("a precision")?;
        let scale = if self.eat_sign(",") { self.integer("a scale")? } else { 0 };
        if precision == 0 || precision > 38 || scale > 37 || scale > precision {
            let message = format!("there is no decimal({precision}, {scale})");
            return self.refuse(&rules::TYPE_PRECISION, message);
        }
        self.expect_sign(")")
    }
}
