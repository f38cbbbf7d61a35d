//! Detection of swapped locations from a few records, before anything is loaded.

use super::{EtlError, LoadPlan, Request};
use sparkify_reader::{RecordKind, holds_other_kind};
use sparkify_source::Object;

/// Checks that the objects to read are not all of the other location's kind.
///
/// The first records of the first, the middle and the last object of each location are sampled. An
/// object that cannot be read is judged by the load itself, with its error.
pub(super) fn check(work: &LoadPlan, request: &Request) -> Result<(), EtlError> {
    // All records may be rejected.
    if request.max_reject_share >= 1.0 {
        return Ok(());
    }
    for (kind, plan) in &work.plans {
        let objects = &plan.read;
        let mut samples = vec![0, objects.len() / 2, objects.len().saturating_sub(1)];
        samples.dedup();
        let is_other = |object: &Object| holds_other_kind(*kind, object).unwrap_or(false);
        let mut samples = samples.into_iter().filter_map(|index| objects.get(index)).peekable();
        let first = samples.peek().map(|(_, object)| object.key.to_string());
        let Some(object) = first.filter(|_| samples.all(|(_, object)| is_other(object))) else {
            continue;
        };
        let location = match kind {
            RecordKind::Songs => &request.song_data,
            RecordKind::Events => &request.log_data,
        };
        let location = location.clone().unwrap_or_default();
        return Err(EtlError::Swapped { kind: *kind, location, object });
    }
    Ok(())
}
