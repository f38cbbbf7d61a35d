//! Column types (DG/c_Supported_data_types.html) under their Redshift and PostgreSQL names.

/// Column type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ColumnType {
    SmallInt,
    Integer,
    BigInt,
    Real,
    Double,
    /// Precision and scale.
    Decimal(u8, u8),
    Boolean,
    /// Length in bytes.
    Char(u32),
    /// Length in bytes.
    Varchar(u32),
    Date,
    Timestamp,
    TimestampTz,
    Super,
    /// Length in bytes.
    VarByte(u32),
}

impl ColumnType {
    /// Returns the name in `SYS_LOAD_ERROR_DETAIL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SmallInt => "int2",
            Self::Integer => "int4",
            Self::BigInt => "int8",
            Self::Real => "float4",
            Self::Double => "float8",
            Self::Decimal(..) => "numeric",
            Self::Boolean => "bool",
            Self::Char(_) => "char",
            Self::Varchar(_) => "varchar",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            // CHAR(10) cuts "timestamptz".
            Self::TimestampTz => "timestampt",
            Self::Super => "super",
            Self::VarByte(_) => "varbyte",
        }
    }

    /// Returns the length as in `SYS_LOAD_ERROR_DETAIL`.
    pub fn length(self) -> String {
        match self {
            Self::Decimal(precision, scale) => format!("{precision}, {scale}"),
            Self::Char(length) | Self::Varchar(length) | Self::VarByte(length) => {
                length.to_string()
            }
            _ => "0".to_owned(),
        }
    }

    /// Parses a type name such as `varchar(9)` or `character varying(9)`.
    ///
    /// Returns `None` for an unknown type.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        let (base, numbers, rest) = match name.split_once('(') {
            Some((base, rest)) => {
                let (numbers, rest) = rest.split_once(')')?;
                (base.trim(), numbers, rest.trim())
            }
            None => (name.as_str(), "", ""),
        };
        let numbers: Option<Vec<u32>> = numbers
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| part.trim().parse().ok())
            .collect();
        let numbers = numbers?;
        let length = |default: u32| numbers.first().copied().unwrap_or(default);
        let small = |at: usize, default: u8| {
            numbers.get(at).map_or(Some(default), |number| u8::try_from(*number).ok())
        };
        Some(match (base, rest) {
            ("smallint" | "int2", _) => Self::SmallInt,
            ("integer" | "int" | "int4", _) => Self::Integer,
            ("bigint" | "int8", _) => Self::BigInt,
            ("real" | "float4", _) => Self::Real,
            ("double precision" | "float8" | "float", _) => Self::Double,
            ("numeric" | "decimal", _) => Self::Decimal(small(0, 18)?, small(1, 0)?),
            ("boolean" | "bool", _) => Self::Boolean,
            ("character" | "char" | "bpchar", _) => Self::Char(length(1)),
            ("character varying" | "varchar" | "text", _) => Self::Varchar(length(256)),
            ("date", _) => Self::Date,
            ("timestamptz" | "timestamp with time zone", _) | ("timestamp", "with time zone") => {
                Self::TimestampTz
            }
            ("timestamp" | "timestamp without time zone", _) => Self::Timestamp,
            ("super" | "json" | "jsonb", _) => Self::Super,
            ("varbyte" | "varbinary" | "binary varying" | "bytea", _) => {
                Self::VarByte(length(64_000))
            }
            _ => return None,
        })
    }
}
