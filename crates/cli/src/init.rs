//! `sparkify init`: writes a commented configuration file.

use std::path::Path;

use super::args::Init;
use super::atomic_file;
use super::failure::Failure;
use super::printer::Printer;
use sparkify_warehouse::WarehouseError;

const TEMPLATE: &str = include_str!("init.cfg");

pub(super) fn run(args: &Init, printer: &Printer) -> Result<(), Failure> {
    let path: &Path = &args.file;
    atomic_file::write(path, args.force, |out| {
        #[cfg(unix)]
        make_private(out.get_ref()).map_err(WarehouseError::Sink)?;
        std::io::Write::write_all(out, TEMPLATE.as_bytes()).map_err(WarehouseError::Sink)
    })?;
    let name = path.display();
    printer.note(&format!("wrote `{name}`; edit it, then run `sparkify doctor`"));
    Ok(())
}

/// Lets only the owner read the file: it may get a password.
#[cfg(unix)]
fn make_private(file: &std::fs::File) -> std::io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}
