//! State shared by all sessions of one emulator: options, database, statement log, faults, load
//! views and open connections.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::backend::{Backend, Target, literal, quoted};
use crate::behavior::Behavior;
use crate::faults::Faults;
use crate::load::LoadViews;
use crate::log::Log;
use crate::options::{Authentication, Options, User};
use crate::random;

/// Emulated cluster with its database on the PostgreSQL server.
pub(crate) struct Cluster {
    pub(crate) options: Options,
    pub(crate) target: Target,
    /// Name of the PostgreSQL database. Clients see `Options::database` instead.
    pub(crate) database: String,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) load_views: LoadViews,
    sessions: AtomicU32,
    /// Client connections by session number.
    connections: Mutex<HashMap<u32, TcpStream>>,
    /// Password and expiry of temporary credentials by name (`IAM:user`).
    temporary: Mutex<HashMap<String, (String, SystemTime)>>,
}

const SEMANTICS: &str = include_str!("catalog/semantics.sql");
/// Scripts that run after the semantics, with `search_path = pg_catalog`.
const SCRIPTS: &[&str] =
    &[include_str!("catalog/functions.sql"), include_str!("catalog/clients.sql")];

impl Cluster {
    /// Creates the database and installs Redshift's semantics in it.
    pub(crate) fn create(options: Options, target: Target) -> io::Result<Self> {
        let database = format!("emulator_{}", random::hex(8));
        let owner = options.users.first().map_or("awsuser", |user| user.name.as_str());
        let mut server = Backend::connect(&target, &target.database, "")?;
        let create = format!(
            "create database {} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8' owner {}",
            quoted(&database),
            quoted(owner)
        );
        for statement in options.users.iter().map(|user| create_role(&user.name)).chain([create]) {
            server.query(&statement)?.map_err(|report| io_error(&report))?;
        }
        server.close();
        let mut new = Backend::connect(&target, &database, "")?;
        new.query(SEMANTICS)?.map_err(|report| io_error(&report))?;
        new.query("grant create on schema public to public")?
            .map_err(|report| io_error(&report))?;
        new.query(
            "set allow_system_table_mods = on; set search_path = pg_catalog; \
                   set check_function_bodies = off; set standard_conforming_strings = on",
        )?
        .map_err(|report| io_error(&report))?;
        for script in SCRIPTS {
            new.query(script)?.map_err(|report| io_error(&report))?;
        }
        for behavior in &options.disabled {
            new.query(behavior.disable_sql())?.map_err(|report| io_error(&report))?;
        }
        new.close();
        Ok(Self {
            options,
            target,
            database,
            log: Log::default(),
            faults: Faults::default(),
            load_views: LoadViews::default(),
            sessions: AtomicU32::new(0),
            connections: Mutex::default(),
            temporary: Mutex::default(),
        })
    }

    /// Returns the ID of a query in STL tables, by its ID in SYS views.
    pub(crate) fn stl_query(&self, query: i64) -> i64 {
        const OFFSET: i64 = 1_000_000;
        if self.is_disabled(Behavior::SharedQueryIds) { query + OFFSET } else { query }
    }

    /// Returns true if a test switched this Redshift behavior off.
    pub(crate) fn is_disabled(&self, behavior: Behavior) -> bool {
        self.options.disabled.contains(&behavior)
    }

    /// Returns the number of a new session, counted from 1.
    pub(crate) fn next_session(&self) -> u32 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Opens a PostgreSQL session of `user` with Redshift's settings and these additional ones.
    pub(crate) fn open_backend(&self, user: &str, settings: &str) -> io::Result<Backend> {
        // Backslashes escape in literals, a transaction reads one snapshot
        // (DG/c_serial_isolation.html), times are in UTC, and doubles have 15 digits
        // (DG/r_extra_float_digits.html).
        let standard_strings =
            if self.is_disabled(Behavior::BackslashEscapes) { "on" } else { "off" };
        let options = format!(
            "-c standard_conforming_strings={standard_strings} -c escape_string_warning=off -c backslash_quote=on \
             -c default_transaction_isolation=repeatable\\ read -c timezone=UTC -c datestyle=ISO,MDY -c jit=off \
             -c extra_float_digits=0 -c emulator.database={} {settings}",
            self.options.database
        );
        let mut backend = Backend::connect(&self.target, &self.database, &options)?;
        backend
            .query(&format!("set session authorization {}", quoted(user)))?
            .map_err(|report| io_error(&report))?;
        Ok(backend)
    }

    /// Registers a client connection so that [`Cluster::close_connections`] can close it.
    pub(crate) fn add_connection(&self, session: u32, stream: &TcpStream) {
        if let Ok(stream) = stream.try_clone() {
            self.connections().insert(session, stream);
        }
    }

    /// Removes the connection of a session that ended.
    pub(crate) fn remove_connection(&self, session: u32) {
        self.connections().remove(&session);
    }

    /// Closes all client connections.
    pub(crate) fn close_connections(&self) {
        for (_, stream) in self.connections().drain() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u32, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Issues temporary credentials of `user`, as `GetClusterCredentials` does: a name and a
    /// password.
    pub(crate) fn issue_credentials(&self, user: &str, lifetime: Duration) -> (String, String) {
        let (name, password) = (format!("IAM:{user}"), random::hex(32));
        let mut temporary = self.temporary.lock().unwrap_or_else(PoisonError::into_inner);
        temporary.insert(name.clone(), (password.clone(), SystemTime::now() + lifetime));
        (name, password)
    }

    /// Finds the user who may log in with this name, with the currently valid password.
    ///
    /// A name such as `IAM:user` refers to unexpired temporary credentials.
    pub(crate) fn find_user(&self, name: &str) -> Option<User> {
        let known = |name: &str| self.options.users.iter().find(|user| user.name == name);
        let Some(plain) = name.strip_prefix("IAM:").or_else(|| name.strip_prefix("IAMA:")) else {
            return known(name).cloned();
        };
        let temporary = self.temporary.lock().unwrap_or_else(PoisonError::into_inner);
        let (password, until) = temporary.get(name)?;
        let valid = *until > SystemTime::now() && known(plain).is_some();
        valid.then(|| User {
            name: plain.to_owned(),
            password: password.clone(),
            authentication: Authentication::Md5,
        })
    }

    /// Drops the database, terminating its remaining sessions.
    pub(crate) fn drop_database(&self) {
        if let Ok(mut server) = Backend::connect(&self.target, &self.target.database, "") {
            let drop = format!("drop database if exists {} with (force)", quoted(&self.database));
            let _ = server.query(&drop);
            server.close();
        }
    }
}

fn io_error(report: &crate::wire::Report) -> io::Error {
    io::Error::other(report.to_string())
}

/// Returns SQL that creates a role unless it exists.
///
/// Roles belong to the whole server, and emulators that start concurrently create the same ones.
fn create_role(name: &str) -> String {
    let statement = format!("create role {} login", quoted(name));
    format!(
        "do language plpgsql {}",
        literal(&format!(
            "begin if not exists (select from pg_roles where rolname = {}) then {statement}; end if; \
             exception when duplicate_object or unique_violation then null; end",
            literal(name)
        ))
    )
}
