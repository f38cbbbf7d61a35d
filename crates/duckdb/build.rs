//! Build script of every crate that links `libduckdb`: sets the run-time search path of programs
//! and tests, the program's own folder first. With `SPARKIFY_DIST`, set by `scripts/dist.sh`, the
//! path names no folder of the machine that builds: `../lib/sparkify` is searched instead. Also
//! reports a missing charting library before the compiler does.

use std::env;
use std::path::Path;

/// Folder of the downloaded libraries, relative to a crate's folder.
const LIBRARIES: &str = "../../lib";

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-env-changed=SPARKIFY_DIST");
    println!("cargo:rerun-if-changed=../duckdb/build.rs");
    if env::var_os("CARGO_FEATURE_PAGE").is_some() {
        check_charts();
    }
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let program_folder = if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos") {
        "@executable_path"
    } else {
        "$ORIGIN"
    };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{program_folder}");
    if env::var_os("SPARKIFY_DIST").is_some() {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{program_folder}/../lib/sparkify");
    } else if let Ok(folder) = env::var("DUCKDB_LIB_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}

/// Checks for the files that the report page embeds.
fn check_charts() {
    for name in ["d3.min.js", "plot.min.js"] {
        let file = Path::new(LIBRARIES).join(name);
        println!("cargo:rerun-if-changed={}", file.display());
        if !file.exists() {
            println!(
                "cargo::error=`lib/{name}` is missing; the report page needs it for its charts"
            );
            println!(
                "cargo::error=hint: run `scripts/charts.sh`, or build without the page: `--no-default-features --features s3`"
            );
        }
    }
}
