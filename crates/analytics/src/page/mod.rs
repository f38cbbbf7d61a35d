//! What do people look at? The questions of `report` as one page of charts, that is a file (`sparkify report`) or live (`sparkify serve`).
//!
//! The page's own parts stand beside this file as the browser gets them: `page.html`, `style.css` and the scripts. The charting library is
//! fetched into `lib/` by `scripts/charts.sh` and embedded. What the data says goes in as JSON and is shown as text; this room opens no file.

mod answer;
mod gather;
mod html;
pub mod serve;

pub use answer::{Answer, Taker};
pub use gather::{Report, gather};
pub use html::{Kind, write};
