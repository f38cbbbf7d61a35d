//! Binary `sparkify`; the code is in the library of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    sparkify::main()
}
