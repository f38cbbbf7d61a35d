//! An emulator to connect to by hand: `redshift-emulator [PORT]`, with `SPARKIFY_TEST_POSTGRES` naming the PostgreSQL server behind it.

use std::error::Error;
use std::io::Read;

use redshift_emulator::{Emulator, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let emulator = Emulator::start(Options { port, ..Options::default() })?;
    let authority = std::env::temp_dir().join(format!("redshift-emulator-{}.pem", emulator.port()));
    std::fs::write(&authority, emulator.ca_pem())?;
    let url = emulator.url().replacen("redshift://", "postgres://", 1);
    println!("{}", emulator.url());
    println!("psql '{url}?sslmode=verify-full&sslrootcert={}'", authority.display());
    println!("end of input stops it");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    std::fs::remove_file(&authority)?;
    Ok(())
}
