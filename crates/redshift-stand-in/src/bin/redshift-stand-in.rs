//! A stand-in to connect to by hand: `redshift-stand-in [PORT]`, with `SPARKIFY_TEST_POSTGRES` naming the PostgreSQL server behind it.

use std::error::Error;
use std::io::Read;

use redshift_stand_in::{Options, StandIn};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let stand_in = StandIn::start(Options { port, ..Options::default() })?;
    let authority = std::env::temp_dir().join(format!("redshift-stand-in-{}.pem", stand_in.port()));
    std::fs::write(&authority, stand_in.ca_pem())?;
    let url = stand_in.url().replacen("redshift://", "postgres://", 1);
    println!("{}", stand_in.url());
    println!("psql '{url}?sslmode=verify-full&sslrootcert={}'", authority.display());
    println!("end of input stops it");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    std::fs::remove_file(&authority)?;
    Ok(())
}
