//! Tells the linker where the binary will find `libduckdb` at run time: beside itself first, else where it was linked from. Says how to get the
//! charting library of the page when it is not there to be embedded.

use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGE").is_some() {
        charts();
    }
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let beside = if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos") {
        "@executable_path"
    } else {
        "$ORIGIN"
    };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{beside}");
    if let Ok(dir) = env::var("DUCKDB_LIB_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{dir}");
    }
}

/// The files that `src/page` embeds.
fn charts() {
    for file in ["lib/d3.min.js", "lib/plot.min.js"] {
        println!("cargo:rerun-if-changed={file}");
        if !std::path::Path::new(file).exists() {
            println!("cargo::error=`{file}` is missing, which the page draws its charts with");
            println!(
                "cargo::error=hint: run `scripts/charts.sh`, or build without the page: `--no-default-features --features s3`"
            );
        }
    }
}
