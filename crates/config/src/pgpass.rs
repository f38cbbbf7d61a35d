//! Password file of the PostgreSQL clients, `~/.pgpass`: lines of
//! `HOST:PORT:DATABASE:USER:PASSWORD`, of which the first match is used.
//!
//! As in libpq, `*` matches everything, `\` escapes a `:` or `\`, a socket in the default folder
//! matches `localhost`, and a file that other users can read is ignored with a warning.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::server::{Environment, Host, Server};
use super::{ConfigError, Secret};

/// Returns the password for `server`. Adds a warning to `server` if the file cannot be used.
pub(super) fn look_up(
    server: &mut Server,
    named: Option<String>,
    environment: Environment<'_>,
) -> Result<Option<Secret>, ConfigError> {
    let named = named.or_else(|| environment("PGPASSFILE")).map(PathBuf::from);
    let default = || environment("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
    let Some(path) = named.or_else(default) else { return Ok(None) };
    let Ok(metadata) = path.metadata() else { return Ok(None) };
    let problem = if !metadata.is_file() {
        Some("is not a regular file")
    } else if metadata.permissions().mode() & 0o077 != 0 {
        Some("is accessible to other users; run `chmod 0600` on it")
    } else {
        None
    };
    if let Some(problem) = problem {
        let warning = format!("ignoring the password file `{}`: it {problem}", path.display());
        server.warnings.push(warning);
        return Ok(None);
    }
    let text = std::fs::read(&path).map_err(|source| ConfigError::Unreadable { path, source })?;
    Ok(find(&String::from_utf8_lossy(&text), server))
}

fn find(text: &str, server: &Server) -> Option<Secret> {
    let host = match &server.host {
        Host::Tcp(name) => name.clone(),
        Host::Socket(folder) => folder.display().to_string(),
    };
    let default_socket =
        ["/tmp", "/var/run/postgresql", "/run/postgresql"].contains(&host.as_str());
    let port = server.port.to_string();
    let wanted = [&port, &server.database, &server.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line);
        let password = fields.pop().filter(|_| fields.len() == 4)?;
        let matches = |field: &String, wanted: &str| field == "*" || field == wanted;
        let host_matches = matches(&fields[0], &host) || default_socket && fields[0] == "localhost";
        let rest_matches =
            fields[1..].iter().zip(wanted).all(|(field, wanted)| matches(field, wanted));
        (host_matches && rest_matches && !password.is_empty()).then(|| Secret::new(password))
    })
}

/// Splits a line into five fields. The last is the rest of the line, since a password may contain
/// `:`.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.trim_end_matches('\r').chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut().unwrap_or(&mut String::new()).extend(letters.next()),
            _ => fields.last_mut().unwrap_or(&mut String::new()).push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::super::server::ServerKind;
    use super::*;

    fn resolve(text: &str, mode: u32, url: &str) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let path = path.display().to_string();
        let environment = |name: &str| (name == "PGPASSFILE").then(|| path.clone());
        let (scheme, loopback_tls) = ("postgres", crate::TlsMode::Disable);
        let kind = ServerKind { scheme, port: 5432, loopback_tls };
        Server::resolve(kind, url, url.split_once(':').unwrap().1, None, &environment).unwrap()
    }

    const FILE: &str = "# h:5432:d:u:comment\nh:5433:*:*:port\n*:*:d:u:a\\:b\\\\c:d\nlocalhost:*:*:*:socket\nshort:line\n*:*:*:*:any\n";

    #[test]
    fn the_first_matching_line_is_used() {
        let of = |url: &str| resolve(FILE, 0o600, url).password.map(|it| it.reveal().to_owned());
        assert_eq!(of("postgres://u@h/d").as_deref(), Some("a:b\\c:d"));
        assert_eq!(of("postgres://u@h:5433/d").as_deref(), Some("port"));
        assert_eq!(of("postgres://x@/y?host=/tmp").as_deref(), Some("socket"));
        assert_eq!(of("postgres://x@h/y").as_deref(), Some("any"));
        assert_eq!(of("postgres://x:mine@h/y").as_deref(), Some("mine"));
    }

    #[test]
    fn a_file_that_other_users_can_read_is_ignored() {
        for mode in [0o640, 0o604, 0o620] {
            let server = resolve(FILE, mode, "postgres://u@h/d");
            assert_eq!(server.password, None);
            assert!(server.warnings[0].contains("chmod 0600"), "{:?}", server.warnings);
        }
        let unread = resolve(FILE, 0o644, "postgres://u:mine@h/d");
        assert!(unread.warnings.is_empty());
    }
}
