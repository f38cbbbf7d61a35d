//! `sparkify cluster`: a Redshift made, looked at and deleted.

mod args;
#[cfg(feature = "cluster")]
mod text;

pub(super) use args::Cluster;

use super::failure::Failure;
use super::printer::Printer;
use sparkify_config::{Flags, Settings};

/// What a build that lacks the feature says instead.
#[cfg(not(feature = "cluster"))]
pub(super) fn run(_: &Cluster, _: &Flags, _: &Settings, _: &Printer) -> Result<(), Failure> {
    Err(Failure::new(
        "this program was built without the clients of AWS that make clusters",
        "build it whole with `make build`",
    ))
}

#[cfg(feature = "cluster")]
pub(super) use whole::{run, watch};

#[cfg(feature = "cluster")]
mod whole {
    use std::io::{self, BufRead, IsTerminal};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::args::{Down, Reap, Up};
    use super::{Cluster, Failure, Flags, Printer, Settings, text};
    use crate::failure::DATA;
    use sparkify_cluster::{ClusterError, FinalSnapshot, Leftover, Status, Watch};
    use sparkify_config::{ClusterSettings, write_back};

    pub(crate) fn run(
        command: &Cluster,
        flags: &Flags,
        settings: &Settings,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let wanted = command.wanted().flags();
        let settings = ClusterSettings::resolve(flags, &wanted, settings)?;
        let watch = watch(printer)?;
        match command {
            Cluster::Plan(_) => {
                settings.warnings.iter().for_each(|warning| printer.warn(warning));
                let plan = sparkify_cluster::plan(&settings, &watch)?;
                printer.answer(&plan, || text::plan(&plan))
            }
            Cluster::Up(args) => up(args, &settings, &watch, printer),
            Cluster::Status(_) => {
                let status = sparkify_cluster::status(&settings, &watch)?;
                printer.answer(&status, || text::status(&status))
            }
            Cluster::Down(args) => down(args, &settings, &watch, printer),
            Cluster::Reap(args) => reap(args, &settings, &watch, printer),
        }
    }

    /// Words about the work go to standard error; Ctrl-C asks it to stop, a second one ends it at once.
    pub(crate) fn watch(printer: &Printer) -> Result<Watch, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let listening = ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        listening.map_err(|error| {
            Failure::new(format!("cannot listen to Ctrl-C: {error}"), "run it in a shell")
        })?;
        let say: Box<dyn Fn(&str) + Send + Sync> = if printer.is_quiet() {
            Box::new(|_| {})
        } else {
            Box::new(|line| anstream::eprintln!("{line}"))
        };
        Ok(Watch { say, stop })
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
        if args.write_config {
            let changed = write(settings, &up.status)?;
            printer.note(&format!("{changed} values written into `{}`", settings.file.display()));
        }
        let made = if up.made.is_empty() { "no change".into() } else { up.made.join(", ") };
        printer.note(&format!("made: {made}"));
        printer.answer(&up, || text::status(&up.status))
    }

    fn write(settings: &ClusterSettings, status: &Status) -> Result<usize, Failure> {
        let port = status.port.map(|port| port.to_string()).unwrap_or_default();
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        let (host, arn) = (value(&status.host), value(&status.role_arn));
        let (database, user) = (value(&status.database), value(&status.user));
        let entries = [
            ("CLUSTER", "HOST", host.as_str()),
            ("CLUSTER", "DB_NAME", &database),
            ("CLUSTER", "DB_USER", &user),
            ("CLUSTER", "DB_PORT", &port),
            ("IAM_ROLE", "ARN", &arn),
        ];
        Ok(write_back(&settings.file, &entries)?)
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
            // The role of somebody else stays where it is.
            let ours = before.parts.iter().any(|part| part.what == "role" && part.ours);
            let mut entries = vec![("CLUSTER", "HOST", "")];
            entries.extend(ours.then_some(("IAM_ROLE", "ARN", "")));
            write_back(&settings.file, &entries)?;
        }
        let left = if args.verify {
            sparkify_cluster::leftovers(settings, &snapshot, watch)?
        } else {
            Vec::new()
        };
        let document = serde_json::json!({
            "name": settings.name, "deleted": down.deleted, "verified": args.verify, "left": left,
        });
        printer.answer(&document, || text::down(&settings.name, &down, args.verify, &left))?;
        clean(&left, printer)
    }

    fn clean(left: &[Leftover], printer: &Printer) -> Result<(), Failure> {
        let unwanted = left.iter().filter(|thing| !thing.wanted).count();
        if unwanted == 0 {
            return Ok(());
        }
        printer.error(&format!("{unwanted} things are still there"));
        printer.hint("run `sparkify cluster down --verify` again; snapshots are deleted with `aws redshift delete-cluster-snapshot`");
        Err(Failure::told(DATA))
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
                format!("this would delete {parts}"),
                "say `--yes` if that is meant",
            ));
        }
        let data = match &snapshot.0 {
            Some(name) => format!("the data stay in the snapshot `{name}`"),
            None => "the data are gone for good".into(),
        };
        anstream::eprint!("This deletes {parts}; {data}. Type the name to go on: ");
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() == settings.name {
            return Ok(());
        }
        Err(Failure::new("nothing was deleted", format!("type `{}` to go on", settings.name)))
    }

    fn reap(
        args: &Reap,
        settings: &ClusterSettings,
        watch: &Watch,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let reaped = sparkify_cluster::reap(settings, !args.dry_run, watch)?;
        printer.answer(&reaped, || text::reaped(&reaped, args.dry_run))?;
        match reaped.expired.iter().find_map(|expired| expired.failed.as_ref()) {
            None => Ok(()),
            Some(reason) => Err(Failure::new(
                format!("not everything could be deleted: {reason}"),
                "run it again, or `sparkify cluster down --name NAME --verify`",
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
