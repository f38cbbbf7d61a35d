//! Pages of the site and the transitions between them (a Markov chain).

use super::rng::Rng;

/// Pages of the real logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    About,
    Downgrade,
    Error,
    Help,
    Home,
    Login,
    Logout,
    NextSong,
    SaveSettings,
    Settings,
    SubmitDowngrade,
    SubmitUpgrade,
    Upgrade,
}

impl Page {
    /// Returns `"method":…,"page":…` with the adjacent JSON text.
    pub(super) fn fragment(self) -> &'static [u8] {
        match self {
            Self::About => b",\"method\":\"GET\",\"page\":\"About\",\"registration\":",
            Self::Downgrade => b",\"method\":\"GET\",\"page\":\"Downgrade\",\"registration\":",
            Self::Error => b",\"method\":\"GET\",\"page\":\"Error\",\"registration\":",
            Self::Help => b",\"method\":\"GET\",\"page\":\"Help\",\"registration\":",
            Self::Home => b",\"method\":\"GET\",\"page\":\"Home\",\"registration\":",
            Self::Login => b",\"method\":\"PUT\",\"page\":\"Login\",\"registration\":",
            Self::Logout => b",\"method\":\"PUT\",\"page\":\"Logout\",\"registration\":",
            Self::NextSong => b",\"method\":\"PUT\",\"page\":\"NextSong\",\"registration\":",
            Self::SaveSettings => {
                b",\"method\":\"PUT\",\"page\":\"Save Settings\",\"registration\":"
            }
            Self::Settings => b",\"method\":\"GET\",\"page\":\"Settings\",\"registration\":",
            Self::SubmitDowngrade => {
                b",\"method\":\"PUT\",\"page\":\"Submit Downgrade\",\"registration\":"
            }
            Self::SubmitUpgrade => {
                b",\"method\":\"PUT\",\"page\":\"Submit Upgrade\",\"registration\":"
            }
            Self::Upgrade => b",\"method\":\"GET\",\"page\":\"Upgrade\",\"registration\":",
        }
    }

    /// Returns `"status":…` with the adjacent JSON text.
    pub(super) fn status(self) -> &'static [u8] {
        match self {
            Self::Error => b",\"status\":404,\"ts\":",
            Self::Login
            | Self::Logout
            | Self::SaveSettings
            | Self::SubmitDowngrade
            | Self::SubmitUpgrade => b",\"status\":307,\"ts\":",
            _ => b",\"status\":200,\"ts\":",
        }
    }
}

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionState {
    pub(super) page: Page,
    pub(super) logged_in: bool,
}

const fn inside(page: Page) -> SessionState {
    SessionState { page, logged_in: true }
}

const fn outside(page: Page) -> SessionState {
    SessionState { page, logged_in: false }
}

/// Draws the first state of a session.
pub(super) fn first(rng: &mut Rng) -> SessionState {
    match rng.below(100) {
        0..7 => outside(Page::Login),
        7..13 => outside(Page::Home),
        13 => outside(Page::About),
        14..50 => inside(Page::Home),
        _ => inside(Page::NextSong),
    }
}

/// Draws the next state of a session; the available pages depend on `paid`.
pub(super) fn next(rng: &mut Rng, state: SessionState, paid: bool) -> SessionState {
    let dice = rng.below(1000);
    if !state.logged_in {
        return match (state.page, dice) {
            (Page::Login, _) => inside(Page::Home),
            (_, 0..620) => outside(Page::Login),
            (_, 620..880) => outside(Page::Home),
            (_, 880..930) => outside(Page::Help),
            _ => outside(Page::About),
        };
    }
    match (state.page, dice) {
        (Page::Logout, _) => outside(Page::Home),
        (Page::Upgrade, 0..420) if !paid => inside(Page::SubmitUpgrade),
        (Page::Downgrade, 0..60) if paid => inside(Page::SubmitDowngrade),
        (Page::Settings, 0..200) => inside(Page::SaveSettings),
        (Page::SubmitUpgrade | Page::SubmitDowngrade | Page::SaveSettings, _)
        | (Page::NextSong, 930..968) => inside(Page::Home),
        (Page::NextSong, 0..930) | (_, 0..850) => inside(Page::NextSong),
        _ => inside(aside(rng, paid)),
    }
}

/// Draws a page other than the player and the home page.
fn aside(rng: &mut Rng, paid: bool) -> Page {
    match rng.below(100) {
        0..30 => Page::Logout,
        30..50 if paid => Page::Downgrade,
        30..50 => Page::Upgrade,
        50..66 => Page::Settings,
        66..78 => Page::Help,
        78..86 => Page::About,
        86..89 => Page::Error,
        _ => Page::Home,
    }
}
