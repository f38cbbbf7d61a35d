//! Kinds of exports, and where their records are in a file.

/// Kind of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Eventsim,
    SpotifyExtended,
    SpotifyAccount,
    ListenBrainz,
    LastFm,
    Maloja,
    Koito,
}

pub(super) const SOURCES: [Source; 7] = [
    Source::Eventsim,
    Source::SpotifyExtended,
    Source::SpotifyAccount,
    Source::ListenBrainz,
    Source::LastFm,
    Source::Maloja,
    Source::Koito,
];

impl Source {
    /// Name of the log format.
    pub(super) fn format(self) -> &'static str {
        match self {
            Self::Eventsim => "eventsim",
            Self::SpotifyExtended | Self::SpotifyAccount => "spotify",
            Self::ListenBrainz => "listenbrainz",
            Self::LastFm => "lastfm",
            Self::Maloja => "maloja",
            Self::Koito => "koito",
        }
    }

    /// Key of the array of records in an object, if the records are in one.
    pub(super) fn container(self) -> Option<&'static str> {
        match self {
            Self::LastFm => Some("track"),
            Self::Maloja => Some("scrobbles"),
            Self::Koito => Some("listens"),
            _ => None,
        }
    }
}
