//! `sparkify generate`: writes sample data.

use std::time::Instant;

use super::args::Generate;
use super::failure::Failure;
use super::printer::Printer;
use sparkify_analytics::report::grouped;
use sparkify_sample_data::Request;

pub(super) fn run(args: &Generate, printer: &Printer) -> Result<(), Failure> {
    let request = Request {
        songs: args.songs,
        events: args.events,
        days: args.days,
        users: args.users,
        seed: args.seed,
        awkward: args.awkward,
        ..Request::default()
    };
    let started = Instant::now();
    let draws = printer.draws();
    let made = sparkify_sample_data::generate(&args.out, &request, &mut |progress| {
        if draws {
            anstream::eprint!(
                "\rgenerating: {} songs, {} events, {} MB ",
                grouped(progress.song_objects),
                grouped(progress.events),
                grouped(progress.bytes / 1_000_000)
            );
        }
    });
    if draws {
        anstream::eprint!("\r\x1b[K");
    }
    let made = made?;
    printer.result(&made, || {
        let (megabytes, seconds) = (made.bytes as f64 / 1e6, started.elapsed().as_secs_f64());
        format!(
            "wrote {} songs in {} files and {} events in {} files to `{}`: {megabytes:.1} MB in {seconds:.1} s\n",
            grouped(made.song_records),
            grouped(made.song_objects),
            grouped(made.events),
            grouped(made.log_objects),
            args.out.display(),
        )
    })
}
