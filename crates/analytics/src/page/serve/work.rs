//! Query runner: runs queries on blocking threads with a timeout, and cancels them.
//!
//! Each request opens the warehouse and closes it again. On a timeout, when the client disconnects
//! and when the server stops, the statement is interrupted until it ends. Interrupts may block (a
//! server engine connects for them), so they are sent from threads outside of the async runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::file_access::{FileAccess, FileSession};
use sparkify_warehouse::{Access, Connector, Interrupter, Warehouse, WarehouseError};

/// Most concurrent requests for the saved queries of the page.
const MAX_PAGES: usize = 6;
/// Most concurrent statements of users. They share the memory limit.
const MAX_STATEMENTS: u32 = 4;
/// Pause between interrupts. An interrupt between two statements has no effect, so it is repeated.
const INTERRUPT_PAUSE: Duration = Duration::from_millis(20);
/// Longest wait at shutdown for interrupted statements to end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Errors of a query.
#[derive(Debug)]
pub(super) enum QueryError {
    /// Error of the warehouse.
    Warehouse(WarehouseError),
    /// The timeout expired.
    Timeout,
}

/// Origin of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Saved queries of the page.
    Page,
    /// A statement that a user wrote.
    User,
}

/// Runs queries with limited concurrency.
pub(super) struct QueryRunner {
    connector: Arc<dyn Connector>,
    access: Arc<FileAccess>,
    pages: Arc<Semaphore>,
    statements: Arc<Semaphore>,
    /// Queries that have not ended.
    active: Mutex<Vec<Weak<Cancellation>>>,
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

    /// Requests the end of the query, and interrupts it from another thread until it ends.
    fn cancel(self: Arc<Self>) {
        if self.requested.swap(true, Ordering::SeqCst) {
            return;
        }
        thread::spawn(move || {
            while self.interrupt() {
                thread::sleep(INTERRUPT_PAUSE);
            }
        });
    }
}

/// Cancels the query when dropped: on a timeout, or when the request's future is dropped.
struct CancelOnDrop(Arc<Cancellation>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        Arc::clone(&self.0).cancel();
    }
}

impl QueryRunner {
    pub(super) fn new(connector: Arc<dyn Connector>) -> Self {
        Self {
            connector,
            access: Arc::default(),
            pages: Arc::new(Semaphore::new(MAX_PAGES)),
            statements: Arc::new(Semaphore::new(MAX_STATEMENTS as usize)),
            active: Mutex::default(),
        }
    }

    /// Runs `job` with a connection. The wait for a permit counts towards `limit`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        origin: Origin,
        limit: Duration,
        job: impl FnOnce(&mut dyn Warehouse) -> Result<T, WarehouseError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let started = Instant::now();
        let permits = if origin == Origin::User { &self.statements } else { &self.pages };
        let permit = timeout(limit, Arc::clone(permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(QueryError::Timeout) };
        let (connector, access) = (Arc::clone(&self.connector), Arc::clone(&self.access));
        let (stop, (sender, receiver)) = (Arc::new(Cancellation::default()), oneshot::channel());
        self.register(&stop);
        let cancel_on_drop = CancelOnDrop(Arc::clone(&stop));
        tokio::task::spawn_blocking(move || {
            if origin == Origin::User {
                // The worker of an embedded engine is another process with file locks of its own.
                let opened = connector.open_isolated(MAX_STATEMENTS.into());
                let _ = sender.send(opened.and_then(|mut it| run_once(it.as_mut(), &stop, job)));
                drop(permit);
                return;
            }
            let mut session: FileSession<Box<dyn Warehouse>> = access.enter();
            let done = connector
                .open(Access::Read)
                .and_then(|opened| run_once(session.resource.insert(opened).as_mut(), &stop, job));
            // Respond before closing the file, which may wait for other sessions of the round.
            let _ = sender.send(done);
            drop(permit);
            drop(session);
        });
        let outcome = timeout(limit.saturating_sub(started.elapsed()), receiver).await;
        drop(cancel_on_drop);
        match outcome {
            Ok(Ok(done)) => done.map_err(QueryError::Warehouse),
            Ok(Err(_)) | Err(_) => Err(QueryError::Timeout),
        }
    }

    /// Cancels all queries and blocks until they have ended, for a few seconds at most.
    pub(super) fn shut_down(&self) {
        // A query that begins later finds no permit.
        self.pages.close();
        self.statements.close();
        let started = Instant::now();
        loop {
            let active: Vec<_> = self.active().iter().filter_map(Weak::upgrade).collect();
            if active.is_empty() || started.elapsed() > SHUTDOWN {
                return;
            }
            active.into_iter().for_each(Cancellation::cancel);
            thread::sleep(INTERRUPT_PAUSE);
        }
    }

    fn register(&self, query: &Arc<Cancellation>) {
        let mut active = self.active();
        active.retain(|query| query.strong_count() > 0);
        active.push(Arc::downgrade(query));
    }

    fn active(&self) -> MutexGuard<'_, Vec<Weak<Cancellation>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `job`, which `stop` can interrupt meanwhile.
fn run_once<T>(
    warehouse: &mut dyn Warehouse,
    stop: &Cancellation,
    job: impl FnOnce(&mut dyn Warehouse) -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    stop.run_as(warehouse.interrupter());
    let done = if stop.requested.load(Ordering::SeqCst) {
        let message = "the request was cancelled".into();
        Err(WarehouseError::Statement { message, hint: None })
    } else {
        job(warehouse)
    };
    stop.run_as(None);
    done
}
