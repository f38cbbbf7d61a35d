//! How the warehouse is asked: on a thread of its own, for a bounded time, and not for longer than somebody waits.
//!
//! Each request opens the warehouse, guarded, and closes it. When its time is over, or its client has gone, the statement is interrupted until it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::file_access::{Gate, Held};
use sparkify_warehouse::{Access, Connector, Interrupter, Warehouse, WarehouseError};

/// Statements that run, or wait for the others of their round, at a time.
const PLACES: usize = 8;
/// An interrupt that comes between two statements stops neither, so it is repeated.
const AGAIN: Duration = Duration::from_millis(20);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What the warehouse said.
    Warehouse(WarehouseError),
    /// It took too long.
    Late,
}

/// Asks the warehouse.
pub(super) struct Work {
    connector: Arc<dyn Connector>,
    gate: Arc<Gate>,
    places: Arc<Semaphore>,
}

/// What stops one piece of work.
#[derive(Default)]
struct Stop {
    wanted: AtomicBool,
    running: Mutex<Option<Interrupter>>,
}

impl Stop {
    fn run_as(&self, interrupter: Option<Interrupter>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = interrupter;
    }

    /// Interrupts what runs; false when nothing does.
    fn interrupt(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|interrupt| interrupt()).is_some()
    }
}

/// Nobody waits for the answer any more once this is gone.
struct Waiting(Arc<Stop>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.wanted.store(true, Ordering::SeqCst);
        if self.0.interrupt() {
            let stop = Arc::clone(&self.0);
            thread::spawn(move || {
                while stop.interrupt() {
                    thread::sleep(AGAIN);
                }
            });
        }
    }
}

impl Work {
    pub(super) fn new(connector: Arc<dyn Connector>) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Self { connector, gate: Arc::default(), places }
    }

    /// Does `job` with the warehouse, within `limit` once there is a place for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        job: impl FnOnce(&mut dyn Warehouse) -> Result<T, WarehouseError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return Err(Trouble::Late);
        };
        let (connector, gate) = (Arc::clone(&self.connector), Arc::clone(&self.gate));
        let (stop, (tell, told)) = (Arc::new(Stop::default()), oneshot::channel());
        let waiting = Waiting(Arc::clone(&stop));
        tokio::task::spawn_blocking(move || {
            let mut held = gate.enter();
            let done = once(&mut held, connector.as_ref(), &stop, job);
            stop.run_as(None);
            // Who waits is told before the file is closed, which may have to wait for others.
            let _ = tell.send(done);
            drop(held);
            drop(place);
        });
        let told = timeout(limit, told).await;
        drop(waiting);
        match told {
            Ok(Ok(done)) => done.map_err(Trouble::Warehouse),
            Ok(Err(_)) | Err(_) => Err(Trouble::Late),
        }
    }
}

fn once<T>(
    held: &mut Held<Box<dyn Warehouse>>,
    connector: &dyn Connector,
    stop: &Stop,
    job: impl FnOnce(&mut dyn Warehouse) -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    let warehouse = held.thing.insert(connector.open(Access::Guarded)?);
    stop.run_as(warehouse.interrupter());
    if stop.wanted.load(Ordering::SeqCst) {
        return Err(WarehouseError::Statement {
            message: "nobody waits for it".into(),
            hint: None,
        });
    }
    job(warehouse.as_mut())
}
