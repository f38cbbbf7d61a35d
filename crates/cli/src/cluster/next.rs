//! Connection to a new warehouse, the entries of `dwh.cfg`, and the commands to run next.

use std::path::Path;

use serde::Serialize;
use sparkify_cluster::{Status, Up};
use sparkify_config::{ConfigError, read_value, write_back};

/// Result of `cluster up`, with what follows from it.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    #[serde(flatten)]
    pub up: &'a Up,
    /// URL of the warehouse.
    pub warehouse: &'a str,
    /// Commands to run next.
    pub next: &'a [String],
}

/// Ways to connect to a warehouse.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Connection {
    /// Data API: the warehouse is private, or AWS manages the password.
    DataApi(String),
    /// Port of a public warehouse, with the password of `dwh.cfg`.
    Port(String),
}

impl Connection {
    /// Chooses the connection that works without further settings.
    pub(super) fn to(status: &Status) -> Self {
        let Status { name, region, database, user, secret_arn, host, port, .. } = status;
        let database = database.as_deref().unwrap_or("dev");
        let (user, host) = (user.as_deref().unwrap_or_default(), host.as_deref());
        if let (None, Some(true), Some(host)) = (secret_arn, status.public, host) {
            let port = port.unwrap_or(5439);
            return Self::Port(format!("redshift://{user}@{host}:{port}/{database}"));
        }
        let is_cluster = status.form == "provisioned";
        let kind = if is_cluster { "cluster" } else { "workgroup" };
        let sign_in = match secret_arn {
            Some(secret) => format!("&secret={secret}"),
            None if is_cluster => format!("&user={user}"),
            None => String::new(),
        };
        Self::DataApi(format!("redshift:{kind}/{name}/{database}?region={region}{sign_in}"))
    }

    pub(super) fn url(&self) -> &str {
        let (Self::DataApi(url) | Self::Port(url)) = self;
        url
    }

    /// Returns the commands to run next. `is_written` is true if `dwh.cfg` has the connection.
    pub(super) fn next(&self, status: &Status, is_written: bool) -> Vec<String> {
        let serverless = if status.form == "serverless" { " --serverless" } else { "" };
        if is_written {
            let commands = ["sparkify doctor", "sparkify etl", "sparkify query top_songs"];
            let down = format!("sparkify cluster down{serverless} --verify --write-config");
            return commands.map(str::to_owned).into_iter().chain([down]).collect();
        }
        let role = status.role_arn.as_deref().unwrap_or_default();
        let password = if matches!(self, Self::Port(_)) { "PGPASSWORD=… " } else { "" };
        // Single quotes: the name of a secret contains `!`.
        let url = format!("'{}'", self.url());
        let variables = format!("{password}SPARKIFY_IAM_ROLE={role}");
        vec![
            format!("{variables} sparkify doctor --warehouse {url}"),
            format!("{variables} sparkify etl --warehouse {url}"),
            format!("sparkify cluster down{serverless} --verify"),
        ]
    }
}

/// Writes endpoint, connection and role into the file. Returns the number of changed values, and the
/// URL of another warehouse that the file names and keeps.
pub(super) fn write(
    file: &Path,
    status: &Status,
    connection: &Connection,
) -> Result<(usize, Option<String>), ConfigError> {
    let port = status.port.map(|port| port.to_string()).unwrap_or_default();
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    let (host, arn) = (value(&status.host), value(&status.role_arn));
    let (database, user) = (value(&status.database), value(&status.user));
    let mut entries = vec![
        ("CLUSTER", "HOST", Some(host.as_str())),
        ("CLUSTER", "DB_NAME", Some(&database)),
        ("CLUSTER", "DB_USER", Some(&user)),
        ("CLUSTER", "DB_PORT", Some(&port)),
        ("IAM_ROLE", "ARN", Some(&arn)),
    ];
    let other = read_value(file, "WAREHOUSE", "URL")?.filter(|url| !url.starts_with("redshift:"));
    if other.is_none() {
        entries.push(match connection {
            Connection::DataApi(url) => ("WAREHOUSE", "URL", Some(url.as_str())),
            // `[CLUSTER]` names the port.
            Connection::Port(_) => ("WAREHOUSE", "URL", None),
        });
    }
    Ok((write_back(file, &entries)?, other))
}

/// Removes endpoint and connection of a deleted warehouse from the file, and the role if it was
/// deleted too.
pub(super) fn clear(file: &Path, name: &str, deleted_role: bool) -> Result<(), ConfigError> {
    let mut entries = vec![("CLUSTER", "HOST", Some(""))];
    entries.extend(deleted_role.then_some(("IAM_ROLE", "ARN", Some(""))));
    let url = read_value(file, "WAREHOUSE", "URL")?.unwrap_or_default();
    let is_of_warehouse = ["cluster", "workgroup"]
        .iter()
        .any(|kind| url.starts_with(&format!("redshift:{kind}/{name}/")));
    entries.extend(is_of_warehouse.then_some(("WAREHOUSE", "URL", None)));
    write_back(file, &entries).map(drop)
}
