//! Report page with a chart per saved query: a file (`sparkify report`) or live (`sparkify serve`).
//!
//! The parts of the page are in this folder: `page.html`, `style.css` and the scripts. The charting
//! library is fetched into `lib/` by `scripts/charts.sh` and embedded. Data is embedded as JSON and
//! shown as text only. This module opens no files.

mod answer;
mod gather;
mod html;
pub mod serve;

pub use answer::{LimitedSink, PageResult};
pub use gather::{ChartQuery, Head, Part, PartSink, Report, gather, stream};
pub use html::{PageKind, write};
