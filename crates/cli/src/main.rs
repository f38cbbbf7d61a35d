//! The program `sparkify`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sparkify::main()
}
