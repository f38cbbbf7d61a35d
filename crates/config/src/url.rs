//! Warehouse URLs: `duckdb:FILE`, `postgres://…` or `redshift://…`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::server::{Environment, Host, Server, ServerKind, TlsMode};
use super::{ConfigError, data_api, redact, suggest};

/// Default warehouse: a file in the current folder.
pub const DEFAULT: &str = "duckdb:sparkify.duckdb";

/// Parsed warehouse URL. `Display` never prints a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseUrl {
    /// File of a `DuckDB` database.
    DuckDb(PathBuf),
    /// PostgreSQL server.
    Postgres(Box<Server>),
    /// Amazon Redshift cluster or workgroup.
    Redshift(Box<Server>),
    /// Scheme of an engine that is known but not supported.
    Unsupported(String),
}

const POSTGRES: ServerKind =
    ServerKind { scheme: "postgres", port: 5432, loopback_tls: TlsMode::Disable };
// A Redshift at a loopback address is the end of a tunnel.
const REDSHIFT: ServerKind =
    ServerKind { scheme: "redshift", port: 5439, loopback_tls: TlsMode::VerifyCa };

impl WarehouseUrl {
    /// Allows statements of a user on a connection of a superuser.
    pub(super) fn allow_superuser(&mut self) {
        if let Self::Postgres(server) = self {
            server.allows_superuser = true;
        }
    }

    /// Parses a URL. Missing parts of a server URL come from the environment, its schema from
    /// `schema`.
    pub(super) fn resolve(
        written: &str,
        schema: Option<String>,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        if written.trim().is_empty() {
            let hint = "it is empty; name a file, for example `duckdb:sparkify.duckdb`".into();
            return Err(ConfigError::Warehouse { written: written.into(), hint });
        }
        let Some((kind, rest)) = written.split_once(':') else {
            let shown = redact::malformed_url(written);
            let example = if shown == written { written } else { "sparkify.duckdb" };
            let hint = format!("write it as a URL, for example `duckdb:{example}`");
            return Err(ConfigError::Warehouse { written: shown, hint });
        };
        let server = |kind, rest: &str| Server::resolve(kind, written, rest, schema, environment);
        match kind {
            "duckdb" if rest.is_empty() => Err(ConfigError::Warehouse {
                written: redact::malformed_url(written),
                hint: "name the file, for example `duckdb:sparkify.duckdb`".into(),
            }),
            "duckdb" => Ok(Self::DuckDb(PathBuf::from(rest.strip_prefix("//").unwrap_or(rest)))),
            "postgres" | "postgresql" => Ok(Self::Postgres(Box::new(server(POSTGRES, rest)?))),
            "redshift" => {
                let (rest, data_api) = data_api::extract(rest)
                    .map_err(|hint| super::server::malformed(written, hint))?;
                let server = server(REDSHIFT, &rest)?;
                Ok(Self::Redshift(Box::new(Server { data_api, ..server })))
            }
            _ => Err(ConfigError::Warehouse {
                written: redact::malformed_url(written),
                hint: suggest::hint(
                    kind,
                    ["duckdb", "postgres", "redshift"],
                    "use `duckdb:FILE`, `postgres://USER@HOST/DATABASE` or `redshift://USER@HOST/DATABASE`",
                ),
            }),
        }
    }

    /// Returns true if the warehouse is a file.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::DuckDb(_))
    }

    /// Returns the absolute path of the warehouse file, which may not exist yet; none for a server.
    pub fn file(&self) -> Option<PathBuf> {
        let Self::DuckDb(path) = self else { return None };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    }

    /// Returns the scheme of the URL.
    pub fn scheme(&self) -> &str {
        match self {
            Self::DuckDb(_) => "duckdb",
            Self::Postgres(server) | Self::Redshift(server) => server.scheme,
            Self::Unsupported(scheme) => scheme,
        }
    }

    /// Returns how the warehouse is reached.
    pub fn channel(&self) -> &'static str {
        match self {
            Self::Postgres(server) | Self::Redshift(server) if server.data_api.is_some() => {
                "Data API"
            }
            Self::Postgres(_) | Self::Redshift(_) => "wire protocol",
            Self::DuckDb(_) | Self::Unsupported(_) => "embedded",
        }
    }

    /// Returns the kind of deployment, as far as the URL says it: `serverless` or `provisioned`.
    pub fn deployment(&self) -> Option<&'static str> {
        let Self::Redshift(server) = self else { return None };
        if let Some(target) = &server.data_api {
            return Some(if target.workgroup.is_some() { "serverless" } else { "provisioned" });
        }
        match &server.host {
            Host::Tcp(name) if name.contains(".redshift-serverless.") => Some("serverless"),
            Host::Tcp(name) if name.contains(".redshift.") => Some("provisioned"),
            _ => None,
        }
    }

    /// Returns warnings about the sources of the URL's parts.
    pub(super) fn warnings(&self) -> &[String] {
        match self {
            Self::Postgres(server) | Self::Redshift(server) => &server.warnings,
            Self::DuckDb(_) | Self::Unsupported(_) => &[],
        }
    }
}

impl fmt::Display for WarehouseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuckDb(path) => write!(f, "duckdb:{}", path.display()),
            Self::Postgres(server) | Self::Redshift(server) => server.fmt(f),
            Self::Unsupported(scheme) => write!(f, "{scheme}://…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(written: &str) -> Result<WarehouseUrl, ConfigError> {
        WarehouseUrl::resolve(written, None, &|_| None)
    }

    #[test]
    fn a_duckdb_url_names_a_file() {
        let url = parse("duckdb:/tmp/a b.duckdb").unwrap();
        assert_eq!(url, WarehouseUrl::DuckDb("/tmp/a b.duckdb".into()));
        assert_eq!(url.to_string(), "duckdb:/tmp/a b.duckdb");
    }

    #[test]
    fn an_empty_url_is_named_as_such() {
        for written in ["", " "] {
            assert!(parse(written).unwrap_err().hint().starts_with("it is empty"));
        }
    }

    #[test]
    fn each_kind_of_server_has_its_default_port() {
        assert_eq!(parse("postgresql://u@h/d").unwrap().to_string(), "postgres://u@h:5432/d");
        assert_eq!(parse("redshift://u@h/d").unwrap().to_string(), "redshift://u@h:5439/d");
    }

    #[test]
    fn redshift_at_a_loopback_address_is_encrypted() {
        for (url, tls) in [
            ("redshift://u@localhost/d", TlsMode::VerifyCa),
            ("redshift://u@127.0.0.1/d", TlsMode::VerifyCa),
            ("redshift://u@localhost/d?sslrootcert=ca.pem", TlsMode::VerifyFull),
            ("redshift://u@localhost/d?sslmode=disable", TlsMode::Disable),
            ("redshift://u@h/d", TlsMode::VerifyFull),
            ("postgres://u@localhost/d", TlsMode::Disable),
        ] {
            let (WarehouseUrl::Redshift(server) | WarehouseUrl::Postgres(server)) =
                parse(url).unwrap()
            else {
                panic!("{url}")
            };
            assert_eq!(server.tls, tls, "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let error = parse("postgre://me:s3cr@et@host/db").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cr"));
        assert!(error.hint().contains("`postgres`"));
    }
}
