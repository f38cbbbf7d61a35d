//! Where the warehouse is, as a URL: `duckdb:FILE`, `postgres://…` or `redshift://…`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::server::{Environment, Kind, Server};
use super::{ConfigError, data_api, redact, suggest};

/// The default warehouse: a file in the current folder.
pub const DEFAULT: &str = "duckdb:sparkify.duckdb";

/// A warehouse as it was named. `Display` never shows a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseUrl {
    /// A `DuckDB` file.
    DuckDb(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<Server>),
    /// An Amazon Redshift cluster.
    Redshift(Box<Server>),
    /// A server of another kind, recognised but not yet served: its scheme.
    Unserved(String),
}

const POSTGRES: Kind = Kind { scheme: "postgres", port: 5432 };
const REDSHIFT: Kind = Kind { scheme: "redshift", port: 5439 };

impl WarehouseUrl {
    /// Reads a URL; what one of a server leaves out is in the environment, and `schema` where it names none.
    pub(super) fn resolve(
        written: &str,
        schema: Option<String>,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        let Some((kind, rest)) = written.split_once(':') else {
            return Err(ConfigError::Warehouse {
                written: redact::without_password(written),
                hint: format!("write it as a URL, for example `duckdb:{written}`"),
            });
        };
        let server = |kind, rest: &str| Server::resolve(kind, written, rest, schema, environment);
        match kind {
            "duckdb" if rest.is_empty() => Err(ConfigError::Warehouse {
                written: redact::without_password(written),
                hint: "name the file, for example `duckdb:sparkify.duckdb`".into(),
            }),
            "duckdb" => Ok(Self::DuckDb(PathBuf::from(rest.strip_prefix("//").unwrap_or(rest)))),
            "postgres" | "postgresql" => Ok(Self::Postgres(Box::new(server(POSTGRES, rest)?))),
            "redshift" => {
                let (rest, data_api) =
                    data_api::take(rest).map_err(|hint| super::server::malformed(written, hint))?;
                let server = server(REDSHIFT, &rest)?;
                Ok(Self::Redshift(Box::new(Server { data_api, ..server })))
            }
            _ => Err(ConfigError::Warehouse {
                written: redact::without_password(written),
                hint: suggest::hint(
                    kind,
                    ["duckdb", "postgres", "redshift"],
                    "the warehouse is `duckdb:FILE`, `postgres://USER@HOST/DATABASE` or `redshift://USER@HOST/DATABASE`",
                ),
            }),
        }
    }

    /// Whether it is a file, wherever that lies.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::DuckDb(_))
    }

    /// The absolute path of the file that the warehouse is, if it is one; the file itself need not exist yet.
    pub fn file(&self) -> Option<PathBuf> {
        let Self::DuckDb(path) = self else { return None };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    }

    /// The kind of warehouse, as its URLs begin.
    pub fn scheme(&self) -> &str {
        match self {
            Self::DuckDb(_) => "duckdb",
            Self::Postgres(server) | Self::Redshift(server) => server.scheme,
            Self::Unserved(scheme) => scheme,
        }
    }

    /// What was odd about finding it, each as a line for people.
    pub(super) fn warnings(&self) -> &[String] {
        match self {
            Self::Postgres(server) | Self::Redshift(server) => &server.warnings,
            Self::DuckDb(_) | Self::Unserved(_) => &[],
        }
    }
}

impl fmt::Display for WarehouseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuckDb(path) => write!(f, "duckdb:{}", path.display()),
            Self::Postgres(server) | Self::Redshift(server) => server.fmt(f),
            Self::Unserved(scheme) => write!(f, "{scheme}://…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Result<WarehouseUrl, ConfigError> {
        WarehouseUrl::resolve(written, None, &|_| None)
    }

    #[test]
    fn a_duckdb_url_names_a_file() {
        let url = read("duckdb:/tmp/a b.duckdb").unwrap();
        assert_eq!(url, WarehouseUrl::DuckDb("/tmp/a b.duckdb".into()));
        assert_eq!(url.to_string(), "duckdb:/tmp/a b.duckdb");
    }

    #[test]
    fn a_server_has_the_port_of_its_kind() {
        assert_eq!(read("postgresql://u@h/d").unwrap().to_string(), "postgres://u@h:5432/d");
        assert_eq!(read("redshift://u@h/d").unwrap().to_string(), "redshift://u@h:5439/d");
    }

    #[test]
    fn a_password_is_never_shown() {
        let error = read("postgre://me:s3cr@et@host/db").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr"));
        assert!(error.hint().contains("`postgres`"));
    }
}
