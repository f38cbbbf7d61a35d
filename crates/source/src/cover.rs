//! Which key prefixes name exactly these objects, and no others?
//!
//! A warehouse that fetches objects by prefix takes *every* key that begins with it. Where there is no place for a manifest, the objects of a load
//! must therefore be said in prefixes that cover all the wanted keys and none of the other keys of the same listing. [`cover`] finds the smallest such
//! set. Of the prefixes that would do it takes the longest, so that as few keys as possible that nobody has listed yet can slip in; what arrives all
//! the same has to be noticed afterwards, by counting: that is the caller's.
//!
//! Each wanted key has one shortest prefix that no other key begins with. Two keys can share a prefix of the cover if and only if these are the same,
//! so their number is the smallest possible, and no object is covered twice. Prefixes end between characters, never within one.

use thiserror::Error;

/// A key prefix, and how many of the wanted objects begin with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<'a> {
    /// The prefix: the longest that these objects have in common.
    pub text: &'a str,
    /// How many of the wanted objects it covers.
    pub objects: usize,
}

/// Why prefixes cannot say it; a manifest can.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CoverError {
    /// A wanted key is the beginning of a key that is not wanted: every prefix takes both.
    #[error("no beginning of its name tells the object `{wanted}` from `{other}`")]
    Inseparable {
        /// The wanted key.
        wanted: String,
        /// The key that begins with it.
        other: String,
    },
    /// It would take more prefixes than the caller is willing to send.
    #[error(
        "to name the objects of this load and no others takes {needed} prefixes, and at most {most} are sent"
    )]
    TooMany {
        /// As many are needed.
        needed: usize,
        /// As many were allowed.
        most: usize,
    },
}

/// The smallest set of at most `most` prefixes, in byte order, that covers every key of `wanted` and none of `others`.
///
/// All keys are of one bucket and one listing; a key that stands in `wanted` twice counts once.
///
/// # Errors
/// When a wanted key is the beginning of another one, or equal to it, and when more than `most` prefixes are needed.
pub fn cover<'a>(
    wanted: &[&'a str],
    others: &[&str],
    most: usize,
) -> Result<Vec<Prefix<'a>>, CoverError> {
    let (wanted, others) = (sorted(wanted), sorted(others));
    let mut prefixes: Vec<Prefix<'a>> = Vec::new();
    let mut before: Option<&str> = None;
    for key in wanted {
        let own = shortest_own(key, &others)?;
        match prefixes.last_mut() {
            Some(last) if before == Some(own) => {
                last.text = &last.text[..shared(last.text, key)];
                last.objects += 1;
            }
            _ => prefixes.push(Prefix { text: key, objects: 1 }),
        }
        before = Some(own);
    }
    match prefixes.len() {
        needed if needed > most => Err(CoverError::TooMany { needed, most }),
        _ => Ok(prefixes),
    }
}

/// The keys in byte order, each once.
fn sorted<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The shortest beginning of `key` that none of the sorted `others` has.
///
/// The one that has most in common with the key is its neighbour in byte order, before or after it.
fn shortest_own<'a>(key: &'a str, others: &[&str]) -> Result<&'a str, CoverError> {
    let place = others.partition_point(|other| *other < key);
    let neighbours = &others[place.saturating_sub(1)..others.len().min(place + 1)];
    let Some(common) = neighbours.iter().map(|other| shared(key, other)).max() else {
        return Ok("");
    };
    match key[common..].chars().next() {
        Some(next) => Ok(&key[..common + next.len_utf8()]),
        None => {
            Err(CoverError::Inseparable { wanted: key.to_owned(), other: others[place].to_owned() })
        }
    }
}

/// How many bytes the two begin with in common, in whole characters.
fn shared(one: &str, two: &str) -> usize {
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
    fn a_key_that_begins_another_needs_a_manifest() {
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

    /// How few prefixes do, found by trying every set of beginnings of the wanted keys.
    fn fewest_by_trial(wanted: &BTreeSet<String>, others: &BTreeSet<String>) -> usize {
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
        fn exactly_the_wanted_each_once_in_the_fewest_prefixes(wanted in keys(5), others in keys(6)) {
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
                    prop_assert_eq!(prefixes.len(), fewest_by_trial(&wanted, &others));
                }
            }
        }
    }
}
