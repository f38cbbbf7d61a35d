//! The program as a user meets it, on real engines. One binary, a file a subject.

#[cfg(feature = "page")]
mod browser;
mod checks;
mod command_line;
mod course;
mod docs;
mod export;
mod faults;
mod forms;
mod history_and_diff;
mod large;
mod law;
mod oracle;
#[cfg(feature = "page")]
mod page;
mod questions;
mod reckoning;
mod rejects_and_trace;
#[cfg(feature = "s3")]
mod s3;
mod sample;
mod selection;
#[cfg(feature = "page")]
mod serve;
mod shell;
mod story;
mod support;
mod tidy;
mod verify;
