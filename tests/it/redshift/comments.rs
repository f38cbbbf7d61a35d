//! Comments and declared keys, over both channels, from a first load and from `create-tables`.

use std::process::Command;

use sparkify_load::tables;
use sparkify_warehouse::Opening;

use super::{Cluster, ETL, ended, small};

#[test]
fn new_tables_get_comments_and_keys() {
    for wire in [true, false] {
        for command in [&ETL[..], &["create-tables"]] {
            let cluster = Cluster::start();
            small(cluster.folder.path());
            let url = if wire { cluster.url() } else { "redshift:workgroup/emulator/dev".into() };
            let arguments = command.iter().copied().chain(["--warehouse", &url]);
            ended(&mut cluster.command(arguments)).good();
            let opening = Opening::full("redshift");
            let comments = tables::all().flat_map(|table| tables::comments(table, opening));
            let sent = cluster.sent();
            for statement in comments.chain(tables::declared_keys(opening)) {
                let times = sent.iter().filter(|it| **it == statement).count();
                assert_eq!(times, 1, "{statement}");
            }
            let server = cluster.url().replacen("redshift://", "postgres://", 1);
            let described = "select count(*) from pg_description as d join pg_class as c on c.\"oid\" = d.objoid where c.relname = 'songplays'";
            let found = Command::new("psql")
                .args(["-X", "-A", "-t", &(server + "&sslmode=verify-full"), "-c", described])
                .output();
            assert_eq!(String::from_utf8(found.unwrap().stdout).unwrap(), "15\n");
        }
    }
}
