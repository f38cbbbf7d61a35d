//! Prefix cover: the smallest set of key prefixes that names the wanted objects and no others.
//!
//! A warehouse that copies objects by prefix copies *every* key that begins with it. Without a
//! manifest, the objects of a load must therefore be named by prefixes that cover all wanted keys
//! and no other key of the same listing.
//!
//! Algorithm:
//! 1. Each wanted key has a shortest prefix that no unwanted key begins with, its *own* prefix. It
//!    is one character longer than what the key has in common with the unwanted key most similar to
//!    it, and that is a neighbour of the key in byte order.
//! 2. Two wanted keys can share a prefix of the cover if and only if their own prefixes are equal:
//!    a shared prefix is at least as long as both own prefixes, and begins both keys. So the number
//!    of distinct own prefixes is the minimum, and no object is covered twice.
//! 3. Each own prefix is extended to the longest common prefix of its keys, so that few keys that
//!    were not listed can match. An object that arrives later can still match: the caller notices
//!    it by counting.
//!
//! Sorting dominates the run time. Prefixes end between characters, never within one.

use thiserror::Error;

/// Key prefix of some wanted objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<'a> {
    /// Longest common prefix of these objects.
    pub text: &'a str,
    /// Number of wanted objects that begin with it.
    pub objects: usize,
}

/// Reason why prefixes cannot name the objects. A manifest can.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CoverError {
    /// An unwanted key begins with a wanted key: every prefix of one matches both.
    #[error("no key prefix matches the object `{wanted}` without `{other}`")]
    Inseparable {
        /// Wanted key.
        wanted: String,
        /// Unwanted key that begins with it.
        other: String,
    },
    /// The cover exceeds the caller's limit.
    #[error("the objects of this load need {needed} key prefixes, more than the limit of {most}")]
    TooMany {
        /// Size of the smallest cover.
        needed: usize,
        /// Limit of the caller.
        most: usize,
    },
}

/// Returns the smallest set of prefixes, in byte order, that covers every key of `wanted` and none
/// of `others`.
///
/// All keys are from one bucket and one listing. A key that occurs in `wanted` twice counts once.
///
/// # Errors If an unwanted key equals a wanted one or begins with it, or if more than `most`
/// prefixes are needed.
pub fn cover<'a>(
    wanted: &[&'a str],
    others: &[&str],
    most: usize,
) -> Result<Vec<Prefix<'a>>, CoverError> {
    let (wanted, others) = (sorted(wanted), sorted(others));
    let mut prefixes: Vec<Prefix<'a>> = Vec::new();
    // In byte order, keys with the same own prefix are next to each other.
    let mut previous: Option<&str> = None;
    for key in wanted {
        let own = own_prefix(key, &others)?;
        match prefixes.last_mut() {
            Some(last) if previous == Some(own) => {
                last.text = &last.text[..common_length(last.text, key)];
                last.objects += 1;
            }
            _ => prefixes.push(Prefix { text: key, objects: 1 }),
        }
        previous = Some(own);
    }
    match prefixes.len() {
        needed if needed > most => Err(CoverError::TooMany { needed, most }),
        _ => Ok(prefixes),
    }
}

/// Returns the keys in byte order, without duplicates.
fn sorted<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Returns the shortest prefix of `key` that none of the sorted `others` begins with.
///
/// Among sorted keys, the one with the longest common prefix is the neighbour before or after
/// `key`.
fn own_prefix<'a>(key: &'a str, others: &[&str]) -> Result<&'a str, CoverError> {
    let place = others.partition_point(|other| *other < key);
    let neighbours = &others[place.saturating_sub(1)..others.len().min(place + 1)];
    let Some(common) = neighbours.iter().map(|other| common_length(key, other)).max() else {
        return Ok("");
    };
    match key[common..].chars().next() {
        Some(next) => Ok(&key[..common + next.len_utf8()]),
        // The whole key is common: the neighbour after it begins with it.
        None => {
            Err(CoverError::Inseparable { wanted: key.to_owned(), other: others[place].to_owned() })
        }
    }
}

/// Returns the length of the longest common prefix in bytes, in whole characters.
fn common_length(one: &str, two: &str) -> usize {
    one.chars()
        .zip(two.chars())
        .take_while(|(left, right)| left == right)
        .map(|(both, _)| both.len_utf8())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{CoverError, cover};

    fn texts(wanted: &[&str], others: &[&str]) -> Vec<String> {
        let prefixes = cover(wanted, others, 200).expect("a cover");
        prefixes.iter().map(|prefix| prefix.text.to_owned()).collect()
    }

    #[test]
    fn a_folder_of_its_own_is_one_prefix() {
        let wanted = ["log_data/2018/11/1.json", "log_data/2018/11/2.json"];
        assert_eq!(texts(&wanted, &[]), ["log_data/2018/11/"]);
        assert_eq!(texts(&[], &["log_data/_SUCCESS"]), Vec::<String>::new());
    }

    #[test]
    fn ignored_names_and_loaded_objects_are_left_out() {
        let wanted = ["d/2018/12/1.json", "d/2018/12/2.json", "d/2018/11/30.json"];
        let others = ["d/", "d/2018/11/29.json", "d/.ipynb_checkpoints/1.json", "d/_SUCCESS"];
        assert_eq!(texts(&wanted, &others), ["d/2018/11/30.json", "d/2018/12/"]);
    }

    #[test]
    fn a_key_that_is_a_prefix_of_another_needs_a_manifest() {
        let refused = cover(&["d/1.json"], &["d/1.json.gz"], 200);
        let expected = CoverError::Inseparable {
            wanted: "d/1.json".to_owned(),
            other: "d/1.json.gz".to_owned(),
        };
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn more_prefixes_than_allowed_are_refused_with_their_number() {
        let refused = cover(&["a", "c", "e"], &["b", "d"], 2);
        assert_eq!(refused, Err(CoverError::TooMany { needed: 3, most: 2 }));
        assert!(cover(&["a", "c", "e"], &["b", "d"], 3).is_ok());
    }

    #[test]
    fn a_prefix_never_ends_within_a_character() {
        // `é` and `è` have their first byte in common.
        assert_eq!(texts(&["d/é", "d/è"], &[]), ["d/"]);
        assert_eq!(texts(&["d/é1", "d/é2"], &["d/è"]), ["d/é"]);
    }

    /// Size of the smallest cover, found by trying every set of prefixes of the wanted keys.
    fn smallest_by_trial(wanted: &BTreeSet<String>, others: &BTreeSet<String>) -> usize {
        let beginnings: BTreeSet<&str> = wanted
            .iter()
            .flat_map(|key| (0..=key.len()).filter_map(|end| key.get(..end)))
            .filter(|start| !others.iter().any(|other| other.starts_with(start)))
            .collect();
        let beginnings: Vec<&str> = beginnings.into_iter().collect();
        (0_u32..1 << beginnings.len())
            .filter(|chosen| {
                wanted.iter().all(|key| {
                    let mut of = beginnings.iter().enumerate();
                    of.any(|(at, start)| chosen >> at & 1 == 1 && key.starts_with(start))
                })
            })
            .map(|chosen| chosen.count_ones() as usize)
            .min()
            .expect("each key covers itself")
    }

    fn keys(most: usize) -> impl Strategy<Value = BTreeSet<String>> {
        prop::collection::btree_set("[abé/]{1,3}", 0..most)
    }

    proptest! {
        #[test]
        fn each_wanted_key_is_covered_once_by_the_fewest_prefixes(wanted in keys(5), others in keys(6)) {
            let wanted_keys: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let other_keys: Vec<&str> = others.iter().map(String::as_str).collect();
            let inseparable = wanted.iter().any(|key| others.iter().any(|other| other.starts_with(key)));
            match cover(&wanted_keys, &other_keys, usize::MAX) {
                Err(error) => prop_assert!(inseparable, "{error}"),
                Ok(prefixes) => {
                    prop_assert!(!inseparable);
                    for key in &wanted {
                        prop_assert_eq!(prefixes.iter().filter(|p| key.starts_with(p.text)).count(), 1);
                    }
                    for prefix in &prefixes {
                        prop_assert!(!others.iter().any(|other| other.starts_with(prefix.text)));
                        let covered = wanted.iter().filter(|key| key.starts_with(prefix.text));
                        prop_assert_eq!(covered.count(), prefix.objects);
                    }
                    prop_assert_eq!(prefixes.len(), smallest_by_trial(&wanted, &others));
                }
            }
        }
    }
}
