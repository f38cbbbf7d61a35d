//! The worker: runs the statements of its parent process, one after the other.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::sync::mpsc;
use std::thread;

use sparkify_warehouse::{Access, ResultType, RowSink, Value, Warehouse, WarehouseError};

use super::message::{self, Cell, Job, Reply, Request};
use crate::{DuckDb, Limits};

/// Address space beyond the memory limit: buffers of the worker and of `DuckDB` that its own limit
/// does not count.
#[cfg(target_os = "linux")]
const SLACK: u64 = 256 << 20;
/// Address space that a thread takes for its stack and its heap.
#[cfg(target_os = "linux")]
const PER_THREAD: u64 = 80 << 20;

/// Runs a worker on standard input and output, until the parent process closes the former.
///
/// # Errors
/// If the parent process cannot be reached. Failed statements are replies.
pub fn run_worker() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut stdin = BufReader::new(io::stdin());
    let Some(job) = message::read::<Job>(&mut stdin)? else { return Ok(()) };
    limit_address_space(&job);
    let requests = receive(stdin);
    let limits = Limits { memory: job.memory, threads: job.threads };
    let access = if job.allows_files { Access::GuardedWithFiles } else { Access::Guarded };
    let mut warehouse = match DuckDb::open(&job.path, access, limits) {
        Ok(warehouse) => warehouse,
        Err(error) => {
            message::write(&mut out, &Reply::Failed(error.into()))?;
            return out.flush();
        }
    };
    message::write(&mut out, &Reply::Done)?;
    out.flush()?;
    for request in requests {
        let Request { statement, parameters } = request;
        let parameters: Vec<Value> = parameters.into_iter().map(Value::from).collect();
        let ended = warehouse.query_each(&statement, &parameters, &mut ReplySink(&mut out));
        let reply = match ended {
            Ok(()) => Reply::Done,
            Err(WarehouseError::Sink(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                Reply::Failed(message::Failure::Statement {
                    message: error.to_string(),
                    hint: Some("select shorter values".into()),
                })
            }
            Err(WarehouseError::Sink(error)) => return Err(error),
            Err(error) => Reply::Failed(error.into()),
        };
        message::write(&mut out, &reply)?;
        out.flush()?;
    }
    Ok(())
}

/// Receives requests on a thread of its own. The end of the stream means that the parent process
/// does not wait for an answer, so the worker ends at once, in the middle of a statement too.
fn receive(mut stdin: impl BufRead + Send + 'static) -> mpsc::Receiver<Request> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        while let Ok(Some(request)) = message::read(&mut stdin) {
            let _ = sender.send(request);
        }
        kill_this_process();
    });
    receiver
}

/// Ends the process without destructors, which would wait for the running statement.
fn kill_this_process() {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::exit(1);
}

/// Limits the address space of this process: a single function can allocate more than `DuckDB`'s
/// memory limit. Without the limit, where it is not supported, the statement still runs.
#[cfg(target_os = "linux")]
fn limit_address_space(job: &Job) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // The first number is the size of the address space in pages.
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let used = pages.unwrap_or(0) * rustix::param::page_size() as u64;
    let threads = u64::try_from(job.threads).unwrap_or(1) + 2;
    let limit = Some(used + job.memory + SLACK + threads * PER_THREAD);
    let _ = setrlimit(Resource::As, Rlimit { current: limit, maximum: limit });
}

#[cfg(not(target_os = "linux"))]
fn limit_address_space(_: &Job) {}

/// Sink that writes rows as replies.
struct ReplySink<'a>(&'a mut dyn Write);

impl ReplySink<'_> {
    fn write(&mut self, reply: &Reply) -> Result<(), WarehouseError> {
        message::write(self.0, reply).map_err(WarehouseError::Sink)
    }
}

impl RowSink for ReplySink<'_> {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.write(&Reply::Types(types.to_vec()))
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.write(&Reply::Columns(columns))
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.write(&Reply::Row(row.iter().map(Cell::from).collect()))
    }
}
