//! What the sessions of one emulator share: its options, its database, its log, its faults, its loads, and who is connected.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::backend::{Backend, Target, literal, quoted};
use crate::faults::Faults;
use crate::load::Loads;
use crate::log::Log;
use crate::options::{Authentication, Options, User};
use crate::random;
use crate::without::Manner;

/// Shared by all sessions.
pub(crate) struct House {
    pub(crate) options: Options,
    pub(crate) target: Target,
    /// The database behind the emulator, which no client sees by this name.
    pub(crate) database: String,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) loads: Loads,
    sessions: AtomicU32,
    open: Mutex<HashMap<u32, TcpStream>>,
    temporary: Mutex<HashMap<String, (String, SystemTime)>>,
}

const MANNERS: &str = include_str!("catalog/manners.sql");

impl House {
    /// Makes the database and its manners.
    pub(crate) fn build(options: Options, target: Target) -> io::Result<Self> {
        let database = format!("emulator_{}", random::hex(8));
        let owner = options.users.first().map_or("awsuser", |user| user.name.as_str());
        let mut server = Backend::connect(&target, &target.database, "")?;
        let create = format!(
            "create database {} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8' owner {}",
            quoted(&database),
            quoted(owner)
        );
        for statement in options.users.iter().map(|user| role(&user.name)).chain([create]) {
            server.ask(&statement)?.map_err(|report| failed(&report))?;
        }
        server.close();
        let mut inside = Backend::connect(&target, &database, "")?;
        inside.ask(MANNERS)?.map_err(|report| failed(&report))?;
        inside.ask("grant create on schema public to public")?.map_err(|report| failed(&report))?;
        inside
            .ask("set allow_system_table_mods = on; set search_path = pg_catalog")?
            .map_err(|report| failed(&report))?;
        for manner in &options.without {
            inside.ask(manner.undo())?.map_err(|report| failed(&report))?;
        }
        inside.close();
        Ok(Self {
            options,
            target,
            database,
            log: Log::default(),
            faults: Faults::default(),
            loads: Loads::default(),
            sessions: AtomicU32::new(0),
            open: Mutex::default(),
            temporary: Mutex::default(),
        })
    }

    /// Whether it does without one of Redshift's manners.
    pub(crate) fn lacks(&self, manner: Manner) -> bool {
        self.options.without.contains(&manner)
    }

    /// The number of a new session, from 1.
    pub(crate) fn next_session(&self) -> u32 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A backend session of this user's.
    pub(crate) fn backend(&self, user: &str, settings: &str) -> io::Result<Backend> {
        // Backslashes escape, transactions read one snapshot (DG/c_serial_isolation.html), and what is loaded is UTC.
        let escapes = if self.lacks(Manner::Backslashes) { "on" } else { "off" };
        let options = format!(
            "-c standard_conforming_strings={escapes} -c escape_string_warning=off -c backslash_quote=on \
             -c default_transaction_isolation=repeatable\\ read -c timezone=UTC -c datestyle=ISO,MDY -c jit=off \
             -c extra_float_digits=1 -c emulator.database={} {settings}",
            self.options.database
        );
        let mut backend = Backend::connect(&self.target, &self.database, &options)?;
        backend
            .ask(&format!("set session authorization {}", quoted(user)))?
            .map_err(|report| failed(&report))?;
        Ok(backend)
    }

    /// Remembers a client's connection, so that it can be cut.
    pub(crate) fn connected(&self, session: u32, stream: &TcpStream) {
        if let Ok(stream) = stream.try_clone() {
            self.open().insert(session, stream);
        }
    }

    /// Forgets it.
    pub(crate) fn gone(&self, session: u32) {
        self.open().remove(&session);
    }

    /// Cuts every client off.
    pub(crate) fn cut_all(&self) {
        for (_, stream) in self.open().drain() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u32, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Temporary credentials of `user`, as `GetClusterCredentials` gives them: a name and a password.
    pub(crate) fn issue(&self, user: &str, lifetime: Duration) -> (String, String) {
        let (name, password) = (format!("IAM:{user}"), random::hex(32));
        let mut temporary = self.temporary.lock().unwrap_or_else(PoisonError::into_inner);
        temporary.insert(name.clone(), (password.clone(), SystemTime::now() + lifetime));
        (name, password)
    }

    /// The user who says this name, with the password that is valid now.
    pub(crate) fn user(&self, name: &str) -> Option<User> {
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

    /// Drops the database.
    pub(crate) fn demolish(&self) {
        if let Ok(mut server) = Backend::connect(&self.target, &self.target.database, "") {
            let drop = format!("drop database if exists {} with (force)", quoted(&self.database));
            let _ = server.ask(&drop);
            server.close();
        }
    }
}

fn failed(report: &crate::wire::Report) -> io::Error {
    io::Error::other(report.to_string())
}

/// Roles belong to the whole server, and emulators that start at once want the same ones.
fn role(name: &str) -> String {
    let statement = format!("create role {}", quoted(name));
    format!(
        "do language plpgsql {}",
        literal(&format!(
            "begin if not exists (select from pg_roles where rolname = {}) then {statement}; end if; \
             exception when duplicate_object or unique_violation then null; end",
            literal(name)
        ))
    )
}
