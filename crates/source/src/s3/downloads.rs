//! Prefetch from S3: downloads objects in the order in which they will be read, within a budget of
//! bytes.
//!
//! Downloads start in order, and an object that a reader requests starts even if the budget is
//! spent. So the buffered bytes always belong to objects that are being read or are next, and no
//! reader waits for budget that the object of another reader holds.
//!
//! If there are large objects in the list, half of the budget is for their parts (`body`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use super::Download;
use super::body::{self, Body, PART};
use super::stream::WINDOW;
use crate::Object;

/// Least budget of an object, in bytes, for its task, connection and buffers.
const LEAST: u64 = 16 << 10;

/// Downloads of one list of objects.
#[derive(Debug)]
pub(crate) struct Downloads {
    slots: Arc<Mutex<Vec<Slot>>>,
    /// Budget for parts of large objects; none without large objects, or if the budget is too
    /// small.
    part_budget: Option<Arc<Semaphore>>,
    task: AbortHandle,
}

/// State of one object.
#[derive(Debug)]
enum Slot {
    Pending,
    Started(Box<Body>),
    Taken,
}

impl Downloads {
    /// Starts to download; none if no object is in S3.
    pub(crate) fn start(objects: &Arc<[Object]>) -> Option<Self> {
        let first = Arc::clone(objects.iter().find_map(Download::of)?.bucket);
        let slots: Vec<Slot> = objects.iter().map(|_| Slot::Pending).collect();
        let slots = Arc::new(Mutex::new(slots));
        let total = first.client.limits.ahead.max(LEAST);
        let any_large = objects.iter().any(|object| {
            Download::of(object)
                .is_some_and(|it| !object.is_member() && body::is_large(it.bucket, object))
        });
        let parts = body::part_budget(total).filter(|_| any_large);
        let permits = |count: u64| usize::try_from(count).unwrap_or(1 << 26);
        let part_budget = parts.map(|bytes| Arc::new(Semaphore::new(permits(bytes / PART))));
        let budget = Arc::new(Semaphore::new(permits(total - parts.unwrap_or_default())));
        let task = run(Arc::clone(&slots), Arc::clone(objects), budget, part_budget.clone());
        let task = first.runtime.spawn(task).abort_handle();
        Some(Self { slots, part_budget, task })
    }

    /// Takes the download of `object`, which is at `index` of the list; starts it if necessary.
    /// Returns none for a file.
    pub(crate) fn take(&self, index: usize, object: &Object) -> Option<Body> {
        let download = Download::of(object)?;
        let slot =
            lock(&self.slots).get_mut(index).map(|slot| std::mem::replace(slot, Slot::Taken));
        Some(match slot {
            Some(Slot::Started(body)) => *body,
            _ => start(download, object, None, self.part_budget.as_ref()),
        })
    }
}

/// Starts a download. A member of an archive is one stream.
fn start(
    download: Download<'_>,
    object: &Object,
    budget: Option<OwnedSemaphorePermit>,
    part_budget: Option<&Arc<Semaphore>>,
) -> Body {
    let Download { bucket, stored, span } = download;
    if object.is_member() {
        return Body::open(bucket, stored, span, budget);
    }
    Body::fetch(bucket, stored, budget, part_budget)
}

impl Drop for Downloads {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the downloads in order, each as soon as the budget has its share.
async fn run(
    slots: Arc<Mutex<Vec<Slot>>>,
    objects: Arc<[Object]>,
    budget: Arc<Semaphore>,
    part_budget: Option<Arc<Semaphore>>,
) {
    for (index, object) in objects.iter().enumerate() {
        let Some(download) = Download::of(object) else { continue };
        // A stream buffers at most a window.
        let ahead = download.bucket.client.limits.ahead.max(LEAST);
        let cost = (download.span.end - download.span.start).clamp(LEAST, WINDOW).min(ahead);
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        let Ok(share) = Arc::clone(&budget).acquire_many_owned(cost).await else { return };
        if let Some(slot @ Slot::Pending) = lock(&slots).get_mut(index) {
            let body = start(download, object, Some(share), part_budget.as_ref());
            *slot = Slot::Started(Box::new(body));
        }
    }
}

fn lock(slots: &Mutex<Vec<Slot>>) -> MutexGuard<'_, Vec<Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}
