//! Binary `sparkify`; the code is in the library of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Set by `make build`.
    sparkify::main(option_env!("SPARKIFY_COMMIT"))
}
