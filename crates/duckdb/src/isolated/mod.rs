//! Statements in a process of their own.
//!
//! `DuckDB` cannot interrupt every function, and some allocate more than its memory limit. So a
//! statement of a user of `serve` or `shell` runs in a worker process with a limited address
//! space, which can be killed. The worker is this program, started again as
//! [`WORKER_COMMAND`]; it opens the file with guarded access, and gets requests and sends rows
//! over pipes. It ends when the parent process does.

mod message;
mod worker;

use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sparkify_warehouse::{
    FoundColumn, Interrupter, RowSink, RowSource, Value, Warehouse, WarehouseError,
};

use crate::{ENGINE, Limits, dialect};
use message::{Cell, Job, Reply, Request};
pub use worker::run_worker;

/// Hidden command of the program that calls [`run_worker`].
pub const WORKER_COMMAND: &str = "statement-worker";

/// Guarded connection to a warehouse file through a worker process.
pub struct Isolated {
    worker: Arc<Worker>,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    memory: u64,
}

/// Process of the worker.
struct Worker {
    child: Mutex<Child>,
    interrupted: AtomicBool,
}

impl Worker {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills the process, if it still runs, and returns how it ended.
    fn kill(&self) -> Option<ExitStatus> {
        let mut child = self.child();
        let _ = child.kill();
        child.wait().ok()
    }
}

impl Isolated {
    /// Starts a worker that opens the file at `path`.
    ///
    /// # Errors
    /// Those of [`crate::DuckDb::open`], or if no process can be started.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, WarehouseError> {
        let not_started = |error: std::io::Error| WarehouseError::CannotOpen {
            path: path.into(),
            reason: format!("no worker process can be started: {error}"),
            hint: "check the limits on processes and memory, and retry".into(),
        };
        let program = std::env::current_exe().map_err(not_started)?;
        let mut command = Command::new(program);
        command.arg(WORKER_COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Messages of a process that runs out of memory are of no use to the user.
        command.stderr(Stdio::null());
        // The worker needs no credentials, which the environment may contain.
        command.env_clear();
        for name in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // Ctrl-C in the terminal is meant for the parent process, which interrupts the worker.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(not_started)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (requests, replies) =
            pipes.ok_or_else(|| std::io::Error::other("it has no pipes")).map_err(not_started)?;
        let worker =
            Arc::new(Worker { child: Mutex::new(child), interrupted: AtomicBool::new(false) });
        let Limits { memory, threads } = limits;
        let mut opened = Self { worker, requests, replies: BufReader::new(replies), memory };
        // The worker has the working directory of this process, but a symbolic link could change.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        opened.send(&Job { path, memory, threads, allows_files: false })?;
        match opened.receive()? {
            Reply::Failed(failure) => Err(failure.into()),
            _ => Ok(opened),
        }
    }

    fn send(&mut self, message: &impl serde::Serialize) -> Result<(), WarehouseError> {
        let sent = message::write(&mut self.requests, message).and_then(|()| self.requests.flush());
        sent.map_err(|_| self.ended())
    }

    fn receive(&mut self) -> Result<Reply, WarehouseError> {
        match message::read(&mut self.replies) {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) | Err(_) => Err(self.ended()),
        }
    }

    /// Returns the error for a worker that does not answer.
    fn ended(&self) -> WarehouseError {
        let status = self.worker.kill();
        // Ctrl-C reaches a worker that starts, before it has a process group of its own.
        if self.worker.interrupted.load(Ordering::SeqCst) || status.is_some_and(ended_by_ctrl_c) {
            let message = "the statement was interrupted".into();
            return WarehouseError::Statement { message, hint: None };
        }
        let status = status.map_or_else(|| "unknown status".to_owned(), |it| it.to_string());
        WarehouseError::Statement {
            message: format!(
                "the statement ended its process ({status}): most likely it needed much more than its {} MB of memory",
                self.memory >> 20
            ),
            hint: Some("use smaller values, or raise `--memory`".into()),
        }
    }
}

#[cfg(unix)]
fn ended_by_ctrl_c(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(rustix::process::Signal::INT.as_raw())
}

#[cfg(not(unix))]
fn ended_by_ctrl_c(_: ExitStatus) -> bool {
    false
}

impl Drop for Isolated {
    fn drop(&mut self) {
        self.worker.kill();
    }
}

impl Warehouse for Isolated {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        // The guard accepts queries only.
        self.query(statement, &[], 0).map(|_| 0)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let parameters = parameters.iter().map(Cell::from).collect();
        self.send(&Request { statement: statement.to_owned(), parameters })?;
        loop {
            let passed_on = match self.receive()? {
                Reply::Types(types) => sink.types(&types),
                Reply::Columns(columns) => sink.start(columns),
                Reply::Row(row) => sink.row(row.into_iter().map(Value::from).collect()),
                Reply::Done => return Ok(()),
                Reply::Failed(failure) => return Err(failure.into()),
            };
            if let Err(error) = passed_on {
                // The rest of the rows is not read.
                self.worker.kill();
                return Err(error);
            }
        }
    }

    fn load(&mut self, table: &str, _: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        Err(WarehouseError::Statement {
            message: format!("cannot load `{table}`: the warehouse is open read-only"),
            hint: None,
        })
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let worker = Arc::clone(&self.worker);
        Some(Box::new(move || {
            worker.interrupted.store(true, Ordering::SeqCst);
            let _ = worker.child().kill();
        }))
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        FoundColumn::query(self, &dialect::CATALOG, &[])
    }
}
