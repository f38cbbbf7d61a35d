//! `sparkify cluster`: creates, inspects and deletes a Redshift cluster.

mod args;
#[cfg(feature = "cluster")]
mod next;
#[cfg(feature = "cluster")]
mod text;

pub(super) use args::Cluster;

use super::failure::Failure;
use super::printer::Printer;
use sparkify_config::{Flags, Settings};

/// Returns the failure of a build without the feature `cluster`.
#[cfg(not(feature = "cluster"))]
pub(super) fn run(_: &Cluster, _: &Flags, _: &Settings, _: &Printer) -> Result<(), Failure> {
    Err(Failure::new("this build has no AWS clients to manage clusters", "build with `make build`"))
}

#[cfg(feature = "cluster")]
pub(super) use commands::{run, watch};

#[cfg(feature = "cluster")]
mod commands {
    use std::io::{self, BufRead, IsTerminal};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::args::{Down, Reap, Up};
    use super::next::{Connection, Report};
    use super::{Cluster, Failure, Flags, Printer, Settings, next, text};
    use crate::failure::DATA;
    use crate::signals;
    use sparkify_cluster::{ClusterError, FinalSnapshot, Leftover, Status, Watch};
    use sparkify_config::{ClusterSettings, redact};

    pub(crate) fn run(
        command: &Cluster,
        flags: &Flags,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let options = command.options().flags();
        let settings = ClusterSettings::resolve(flags, &options, settings)?;
        let watch = watch(printer)?;
        if matches!(command, Cluster::Plan(_) | Cluster::Up(_)) {
            settings.check_port()?;
        }
        match command {
            Cluster::Plan(_) => {
                settings.warnings.iter().for_each(|warning| printer.warn(warning));
                let plan = sparkify_cluster::plan(&settings, &watch)?;
                printer.result(&plan, || text::plan(&plan))
            }
            Cluster::Up(args) => up(args, &settings, &watch, printer),
            Cluster::Status(_) => {
                let status = sparkify_cluster::status(&settings, &watch)?;
                printer.result(&status, || text::status(&status))
            }
            Cluster::Down(args) => down(args, &settings, &watch, printer),
            Cluster::Reap(args) => reap(args, &settings, &watch, printer),
        }
    }

    /// Returns the observer of a running command: it prints progress to standard error, and Ctrl-C
    /// requests a stop. A second Ctrl-C exits at once.
    pub(crate) fn watch(printer: &Printer) -> Result<Watch, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let requested = Arc::clone(&stop);
        signals::on_stop(move || requested.store(true, Ordering::Relaxed))?;
        let report: Box<dyn Fn(&str) + Send + Sync> = if printer.is_quiet() {
            Box::new(|_| {})
        } else {
            Box::new(|line| anstream::eprintln!("{line}"))
        };
        Ok(Watch { report, stop })
    }

    fn up(
        args: &Up,
        settings: &ClusterSettings,
        watch: &Watch,
        printer: &Printer,
    ) -> Result<(), Failure> {
        settings.warnings.iter().for_each(|warning| printer.warn(warning));
        let up = sparkify_cluster::up(settings, watch)?;
        up.differences.iter().for_each(|difference| printer.warn(difference));
        let connection = Connection::to(&up.status);
        if args.write_config {
            let (changed, other) = next::write(&settings.file, &up.status, &connection)?;
            printer.note(&format!("wrote {changed} values to `{}`", settings.file.display()));
            if let Some(url) = other {
                let url = redact::without_password(&url);
                printer.warn(&format!(
                    "kept `{url}` as [WAREHOUSE] URL: pass `--warehouse` to use the new warehouse"
                ));
            }
        }
        let created = if up.made.is_empty() { "nothing".into() } else { up.made.join(", ") };
        printer.note(&format!("created: {created}"));
        let next = connection.next(&up.status, args.write_config);
        let report = Report { up: &up, warehouse: connection.url(), next: &next };
        printer.result(&report, || text::status(&up.status) + &text::next(&next))
    }

    fn down(
        args: &Down,
        settings: &ClusterSettings,
        watch: &Watch,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let snapshot = FinalSnapshot(args.final_snapshot.clone());
        let before = sparkify_cluster::status(settings, watch)?;
        if !before.parts.is_empty() && !args.yes {
            confirm(settings, &before, &snapshot)?;
        }
        let down = sparkify_cluster::down(settings, &snapshot, watch)?;
        if args.write_config {
            // A role that sparkify did not create, or that another region uses, stays, and so does
            // its entry.
            let deleted_role = down.deleted.iter().any(|part| part.starts_with("the role "));
            next::clear(&settings.file, &settings.name, deleted_role)?;
        }
        let left = if args.verify {
            sparkify_cluster::leftovers(settings, &snapshot, watch)?
        } else {
            Vec::new()
        };
        let document = serde_json::json!({
            "name": settings.name, "deleted": down.deleted, "verified": args.verify, "left": left,
        });
        printer.result(&document, || text::down(&settings.name, &down, args.verify, &left))?;
        check_leftovers(&left, printer)
    }

    fn check_leftovers(left: &[Leftover], printer: &Printer) -> Result<(), Failure> {
        let unwanted = left.iter().filter(|resource| !resource.wanted).count();
        if unwanted == 0 {
            return Ok(());
        }
        let resources =
            if unwanted == 1 { "resource still exists" } else { "resources still exist" };
        printer.error(&format!("{unwanted} {resources}"));
        printer.hint("run `sparkify cluster down --verify` again; delete snapshots with `aws redshift delete-cluster-snapshot`");
        Err(Failure::reported(DATA))
    }

    fn confirm(
        settings: &ClusterSettings,
        before: &Status,
        snapshot: &FinalSnapshot,
    ) -> Result<(), Failure> {
        let parts: Vec<String> =
            before.parts.iter().map(|part| format!("{} `{}`", part.what, part.name)).collect();
        let parts = parts.join(", ");
        if !io::stdin().is_terminal() {
            return Err(Failure::new(
                format!("this command would delete {parts}"),
                "pass `--yes` to confirm",
            ));
        }
        let data = match &snapshot.0 {
            Some(name) => format!("the data is kept in the snapshot `{name}`"),
            None => "all data is lost".into(),
        };
        anstream::eprint!("This deletes {parts}; {data}. Type the cluster name to confirm: ");
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() == settings.name {
            return Ok(());
        }
        Err(Failure::new(
            "not confirmed: nothing was deleted",
            format!("type `{}`, or pass `--yes`", settings.name),
        ))
    }

    fn reap(
        args: &Reap,
        settings: &ClusterSettings,
        watch: &Watch,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let reaped = sparkify_cluster::reap(settings, !args.dry_run, watch)?;
        printer.result(&reaped, || text::reaped(&reaped, args.dry_run))?;
        match reaped.expired.iter().find_map(|expired| expired.failed.as_ref()) {
            None => Ok(()),
            Some(reason) => Err(Failure::new(
                format!("cannot delete all expired clusters: {reason}"),
                "run `sparkify cluster reap` again, or `sparkify cluster down --name NAME --verify`",
            )),
        }
    }

    impl From<ClusterError> for Failure {
        fn from(error: ClusterError) -> Self {
            let hint = error.hint();
            Self::new(error.to_string(), hint)
        }
    }
}
