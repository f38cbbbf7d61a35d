//! Ahead of the readers: objects are fetched in the order in which they will be read, within a budget of bytes.
//!
//! Objects are begun in their order, and one that a reader asks for is begun at once, budget or not. So the bytes that are held are always
//! some that a reader is at, or the next ones, and no reader can wait for a place that another reader's object holds.
//!
//! Where large objects are among them, half of the budget is room for their parts, which readers share as they need it (`body`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::body::{self, Body, PART};
use super::stream::WINDOW;
use super::{Bucket, place};
use crate::Object;

/// What an object costs at least, in bytes: its task, its connection, its buffers.
const LEAST: u64 = 16 << 10;

/// The objects of one list.
#[derive(Debug)]
pub(crate) struct Fetching {
    slots: Arc<Mutex<Vec<Slot>>>,
    /// For parts of large objects; none where no object is large, or too little may be held.
    room: Option<Arc<Semaphore>>,
    task: AbortHandle,
}

#[derive(Debug)]
enum Slot {
    Waiting,
    Begun(Box<Body>),
    Taken,
}

impl Fetching {
    /// Begins to fetch; nothing when none of the objects lies in S3.
    pub(crate) fn start(objects: &Arc<[Object]>) -> Option<Self> {
        let first = Arc::clone(objects.iter().find_map(place)?);
        let slots: Vec<Slot> = objects.iter().map(|_| Slot::Waiting).collect();
        let slots = Arc::new(Mutex::new(slots));
        let ahead = first.client.limits.ahead.max(LEAST);
        let are_large = objects
            .iter()
            .any(|object| place(object).is_some_and(|bucket| body::is_large(bucket, object)));
        let parts = body::room_for_parts(ahead).filter(|_| are_large);
        let permits = |count: u64| usize::try_from(count).unwrap_or(1 << 26);
        let room = parts.map(|bytes| Arc::new(Semaphore::new(permits(bytes / PART))));
        let budget = Arc::new(Semaphore::new(permits(ahead - parts.unwrap_or_default())));
        let task = run(Arc::clone(&slots), Arc::clone(objects), budget, room.clone());
        let task = first.runtime.spawn(task).abort_handle();
        Some(Self { slots, room, task })
    }

    /// The body of `object`, which is the one at `index`.
    pub(crate) fn take(&self, index: usize, bucket: &Arc<Bucket>, object: &Object) -> Body {
        let slot =
            lock(&self.slots).get_mut(index).map(|slot| std::mem::replace(slot, Slot::Taken));
        match slot {
            Some(Slot::Begun(body)) => *body,
            _ => Body::fetch(bucket, object, None, self.room.as_ref()),
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    slots: Arc<Mutex<Vec<Slot>>>,
    objects: Arc<[Object]>,
    budget: Arc<Semaphore>,
    room: Option<Arc<Semaphore>>,
) {
    for (index, object) in objects.iter().enumerate() {
        let Some(bucket) = place(object) else { continue };
        let cost = object.size.clamp(LEAST, WINDOW).min(bucket.client.limits.ahead.max(LEAST));
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        let Ok(part) = Arc::clone(&budget).acquire_many_owned(cost).await else { return };
        if let Some(slot @ Slot::Waiting) = lock(&slots).get_mut(index) {
            let body = Body::fetch(bucket, object, Some(part), room.as_ref());
            *slot = Slot::Begun(Box::new(body));
        }
    }
}

fn lock(slots: &Mutex<Vec<Slot>>) -> MutexGuard<'_, Vec<Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}
