//! Random names of artists, songs and locations.
//!
//! Each function draws only from the given stream, so names depend only on the seed.

use super::accents::{ACCENTED_BANDS, ACCENTED_FIRST, ACCENTED_LAST, ACCENTED_TITLES, FAR_PLACES};
use super::rng::Rng;
use super::words::{
    ADJECTIVES, ENSEMBLES, FAMILIES, MEN, NOUNS, STATES, TIMES, TOWNS, VERBS, VERSIONS, WOMEN,
};

/// Draws an artist name. `wide` adds a word, since large catalogues need more distinct names.
pub(super) fn artist(rng: &mut Rng, wide: bool) -> String {
    let kind = rng.below(100);
    let wide = wide || rng.chance(150);
    let noun = rng.pick(NOUNS);
    let adjective = rng.pick(ADJECTIVES);
    let family = rng.pick(FAMILIES);
    let between = if wide { format!(" {}", rng.pick(NOUNS)) } else { String::new() };
    match kind {
        0..24 => format!("The {adjective}{between} {noun}s"),
        24..42 => format!("{}{} {family}", person(rng), if wide { initial(rng) } else { "" }),
        42..52 => format!("{adjective}{between} {noun}"),
        52..60 => format!("{} & The{between} {noun}s", person(rng)),
        60..68 => format!("{noun}{between} {}", rng.pick(NOUNS)),
        68..75 => format!("{family}{between} {}", rng.pick(ENSEMBLES)),
        75..82 => format!("{}{between} {}", rng.pick(TOWNS), rng.pick(ENSEMBLES)),
        82..86 => format!("DJ {adjective}{between}"),
        86..90 => format!("{noun}{between} / {}", rng.pick(NOUNS)),
        90..95 => format!("{} {}", rng.pick(ACCENTED_FIRST), rng.pick(ACCENTED_LAST)),
        95..97 => format!("{} & The {noun}s", rng.pick(ACCENTED_FIRST)),
        _ if wide => format!("{} & {noun}", rng.pick(ACCENTED_BANDS)),
        _ => rng.pick(ACCENTED_BANDS).to_owned(),
    }
}

/// Draws another spelling of the artist `name`, as found in catalogues.
pub(super) fn respelled(rng: &mut Rng, name: &str) -> String {
    match rng.below(5) {
        0 if name.contains(" & ") => name.replace(" & ", " And "),
        0 | 1 if name.starts_with("The ") => name.trim_start_matches("The ").to_owned(),
        0..3 => format!("{name} feat. {} {}", person(rng), rng.pick(FAMILIES)),
        3 => format!("{name} / {} {}", rng.pick(TOWNS), rng.pick(ENSEMBLES)),
        _ => format!("{name} With {} {}", person(rng), rng.pick(FAMILIES)),
    }
}

/// Draws a song title.
pub(super) fn title(rng: &mut Rng) -> String {
    let noun = rng.pick(NOUNS);
    let adjective = rng.pick(ADJECTIVES);
    let verb = rng.pick(VERBS);
    let plain = match rng.below(100) {
        0..18 => format!("{adjective} {noun}"),
        18..26 => format!("{noun} Of The {}", rng.pick(NOUNS)),
        26..34 => format!("{verb} The {adjective} {noun}"),
        34..40 => format!("{verb} Me To {}", rng.pick(TOWNS)),
        40..46 => format!("{noun} In {}", rng.pick(TIMES)),
        46..52 => format!("The {noun} And The {}", rng.pick(NOUNS)),
        52..57 => format!("When The {noun}s Come Home"),
        57..62 => format!("Don't {verb} The {noun}"),
        62..67 => format!("Goodbye {}", rng.pick(TOWNS)),
        67..72 => format!("{} {noun}s", rng.pick(&["No More", "Seven", "All My", "Two Thousand"])),
        72..76 => format!("What's In The {noun}?"),
        76..79 => format!("{verb} \"{adjective}\""),
        79..82 => format!("{adjective} / {noun}"),
        82..86 => format!("{noun} Song"),
        86..90 => format!("{}'s {noun}", person(rng)),
        90..97 => rng.pick(ACCENTED_TITLES).to_owned(),
        _ => noun.to_owned(),
    };
    if rng.chance(120) { format!("{plain} {}", rng.pick(VERSIONS)) } else { plain }
}

/// Draws the metropolitan area of a user: `Brookmere-Ashmere, OH`.
pub(super) fn metropolis(rng: &mut Rng) -> String {
    let (first, second) = (rng.pick(TOWNS), rng.pick(TOWNS));
    match rng.below(3) {
        0 => format!("{first}, {}", rng.pick(STATES)),
        1 => format!("{first}-{second}, {}", rng.pick(STATES)),
        _ => format!("{first}-{second}-{}, {}", rng.pick(TOWNS), rng.pick(STATES)),
    }
}

/// Draws the location of an artist.
pub(super) fn origin(rng: &mut Rng) -> String {
    if rng.chance(300) {
        rng.pick(FAR_PLACES).to_owned()
    } else {
        format!("{}, {}", rng.pick(TOWNS), rng.pick(STATES))
    }
}

fn person(rng: &mut Rng) -> &'static str {
    let list = if rng.chance(500) { WOMEN } else { MEN };
    rng.pick(list)
}

fn initial(rng: &mut Rng) -> &'static str {
    rng.pick(&[" A.", " B.", " C.", " D.", " E.", " H.", " J.", " L.", " M.", " R.", " T.", " W."])
}
