//! Where the warehouse is, as a URL: `duckdb:FILE`, `postgres://…` or `redshift://…`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{ConfigError, redact, suggest};

/// The default warehouse: a file in the current folder.
pub const DEFAULT: &str = "duckdb:sparkify.duckdb";

/// A warehouse as it was named. `Display` never shows a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseUrl {
    /// A `DuckDB` file.
    DuckDb(PathBuf),
    /// A server of another kind, recognised but not yet served: its scheme.
    Unserved(String),
}

impl FromStr for WarehouseUrl {
    type Err = ConfigError;

    fn from_str(written: &str) -> Result<Self, ConfigError> {
        let Some((scheme, rest)) = written.split_once(':') else {
            return Err(ConfigError::Warehouse {
                written: redact::without_password(written),
                hint: format!("write it as a URL, for example `duckdb:{written}`"),
            });
        };
        match scheme {
            "duckdb" if rest.is_empty() => Err(ConfigError::Warehouse {
                written: redact::without_password(written),
                hint: "name the file, for example `duckdb:sparkify.duckdb`".into(),
            }),
            "duckdb" => Ok(Self::DuckDb(PathBuf::from(rest.strip_prefix("//").unwrap_or(rest)))),
            "postgres" | "postgresql" | "redshift" | "redshift-data" => {
                Ok(Self::Unserved(scheme.into()))
            }
            _ => Err(ConfigError::Warehouse {
                written: redact::without_password(written),
                hint: suggest::hint(
                    scheme,
                    ["duckdb", "postgres", "redshift"],
                    "the warehouse is `duckdb:FILE`",
                ),
            }),
        }
    }
}

impl WarehouseUrl {
    /// The absolute path of the file that the warehouse is, if it is one; the file itself need not exist yet.
    pub fn file(&self) -> Option<PathBuf> {
        let Self::DuckDb(path) = self else { return None };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    }
}

impl fmt::Display for WarehouseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuckDb(path) => write!(f, "duckdb:{}", path.display()),
            Self::Unserved(scheme) => write!(f, "{scheme}://…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duckdb_url_names_a_file() {
        let url: WarehouseUrl = "duckdb:/tmp/a b.duckdb".parse().unwrap();
        assert_eq!(url, WarehouseUrl::DuckDb("/tmp/a b.duckdb".into()));
        assert_eq!(url.to_string(), "duckdb:/tmp/a b.duckdb");
    }

    #[test]
    fn a_password_is_never_shown() {
        let error = "postgre://me:s3cr@et@host/db".parse::<WarehouseUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr"));
        assert!(error.hint().contains("`postgres`"));
    }
}
