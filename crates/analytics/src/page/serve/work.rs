//! Query runner: runs queries on blocking threads with a timeout, and cancels them.
//!
//! Each request opens the warehouse with guarded access and closes it again. On a timeout, or when
//! the client disconnects, the statement is interrupted until it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::file_access::{FileAccess, FileSession};
use sparkify_warehouse::{Access, Connector, Interrupter, Warehouse, WarehouseError};

/// Most concurrent queries, including those that wait for the end of their round.
const MAX_CONCURRENT: usize = 8;
/// Pause between interrupts. An interrupt between two statements has no effect, so it is repeated.
const INTERRUPT_PAUSE: Duration = Duration::from_millis(20);

/// Errors of a query.
#[derive(Debug)]
pub(super) enum QueryError {
    /// Error of the warehouse.
    Warehouse(WarehouseError),
    /// The timeout expired.
    Timeout,
}

/// Runs queries with limited concurrency.
pub(super) struct QueryRunner {
    connector: Arc<dyn Connector>,
    access: Arc<FileAccess>,
    permits: Arc<Semaphore>,
}

/// Cancellation of one query.
#[derive(Default)]
struct Cancellation {
    requested: AtomicBool,
    running: Mutex<Option<Interrupter>>,
}

impl Cancellation {
    fn run_as(&self, interrupter: Option<Interrupter>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = interrupter;
    }

    /// Interrupts the running statement; returns false if there is none.
    fn interrupt(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|interrupt| interrupt()).is_some()
    }
}

/// Cancels the query when dropped: on a timeout, or when the request's future is dropped.
struct CancelOnDrop(Arc<Cancellation>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.requested.store(true, Ordering::SeqCst);
        if self.0.interrupt() {
            let stop = Arc::clone(&self.0);
            thread::spawn(move || {
                while stop.interrupt() {
                    thread::sleep(INTERRUPT_PAUSE);
                }
            });
        }
    }
}

impl QueryRunner {
    pub(super) fn new(connector: Arc<dyn Connector>) -> Self {
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        Self { connector, access: Arc::default(), permits }
    }

    /// Runs `job` with a connection. `limit` starts when a permit is available.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        job: impl FnOnce(&mut dyn Warehouse) -> Result<T, WarehouseError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return Err(QueryError::Timeout);
        };
        let (connector, access) = (Arc::clone(&self.connector), Arc::clone(&self.access));
        let (stop, (sender, receiver)) = (Arc::new(Cancellation::default()), oneshot::channel());
        let cancel_on_drop = CancelOnDrop(Arc::clone(&stop));
        tokio::task::spawn_blocking(move || {
            let mut session = access.enter();
            let done = run_once(&mut session, connector.as_ref(), &stop, job);
            stop.run_as(None);
            // Respond before closing the file, which may wait for other sessions of the round.
            let _ = sender.send(done);
            drop(session);
            drop(permit);
        });
        let outcome = timeout(limit, receiver).await;
        drop(cancel_on_drop);
        match outcome {
            Ok(Ok(done)) => done.map_err(QueryError::Warehouse),
            Ok(Err(_)) | Err(_) => Err(QueryError::Timeout),
        }
    }
}

fn run_once<T>(
    session: &mut FileSession<Box<dyn Warehouse>>,
    connector: &dyn Connector,
    stop: &Cancellation,
    job: impl FnOnce(&mut dyn Warehouse) -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    let warehouse = session.resource.insert(connector.open(Access::Guarded)?);
    stop.run_as(warehouse.interrupter());
    if stop.requested.load(Ordering::SeqCst) {
        return Err(WarehouseError::Statement {
            message: "the request was cancelled".into(),
            hint: None,
        });
    }
    job(warehouse.as_mut())
}
