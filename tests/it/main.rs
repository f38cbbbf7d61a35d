//! The program as a user meets it, on real engines. One binary, a file a subject.

mod checks;
mod command_line;
mod course;
mod export;
mod faults;
mod forms;
mod history_and_diff;
mod law;
mod oracle;
mod questions;
mod reckoning;
mod rejects_and_trace;
mod sample;
mod selection;
mod story;
mod support;
mod tidy;
mod verify;
