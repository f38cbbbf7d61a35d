//! Least privilege: the roles of `docs/how-to/postgres.md` can do what they are for, and nothing else.

use std::path::Path;

use crate::old_warehouse::UNDO_MIGRATIONS;
use crate::servers::{Database, Server, psql_command};
use crate::support::{Ended, event, profile, put, run, song, sparkify};

/// The roles of the document, renamed for this test and dropped with this value.
struct Roles {
    database: Database,
    loader: String,
    analyst: String,
}

const PASSWORD: &str = "a word of the tests";

impl Roles {
    fn new() -> Self {
        let database = Database::new();
        let [loader, analyst] =
            ["loader", "analyst"].map(|role| format!("{}_{role}", database.name));
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/how-to/postgres.md");
        let page = std::fs::read_to_string(page).unwrap();
        let block = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
        let sql = block.replace("sparkify_loader", &loader).replace("sparkify_analyst", &analyst);
        assert!(sql.contains("alter default privileges"), "{sql}");
        database.psql(&sql);
        for role in [&loader, &analyst] {
            database.psql(&format!("alter role {role} password '{PASSWORD}'"));
        }
        // No other permission than those of every role.
        database.psql("revoke create on schema public from public");
        Self { database, loader, analyst }
    }

    fn url(&self, role: &str) -> String {
        let Server { port, .. } = &self.database.server;
        format!("postgres://{role}@localhost:{port}/{}?schema=sparkify", self.database.name)
    }

    fn run(&self, here: &Path, role: &str, arguments: &[&str]) -> Ended {
        let url = self.url(role);
        let mut command = sparkify(here, arguments.iter().copied().chain(["--warehouse", &url]));
        Ended::from(command.env("PGPASSWORD", PASSWORD).output().unwrap())
    }
}

impl Drop for Roles {
    fn drop(&mut self) {
        for role in [&self.loader, &self.analyst] {
            self.database.psql(&format!("drop owned by {role} cascade; drop role {role}"));
        }
    }
}

const ETL: [&str; 5] = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

#[test]
fn the_loader_loads_and_the_analyst_reads() {
    let (roles, folder) = (Roles::new(), tempfile::tempdir().unwrap());
    let here = folder.path();
    put(here, "data/song_data/a.json", song("SO1", "One", 200.5));
    put(here, "data/log_data/a.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
    let (loader, analyst) = (roles.loader.as_str(), roles.analyst.as_str());
    let said = roles.run(here, analyst, &["check"]).bad(2);
    assert!(said.contains("has no table"), "{said}");
    roles.run(here, loader, &ETL).good();
    put(here, "data/log_data/b.json", event(1, 1, 1_541_376_000_797, "NextSong", "One"));
    roles.run(here, loader, &ETL).good();
    for asked in [
        &["check"][..],
        &["verify"],
        &["describe", "songplays"],
        &["query", "top_songs"],
        &["query", "session_lengths"],
        &["history"],
        &["docs"],
        &["export", "out"],
        &["rejects", "list"],
        &["trace", "--session", "1", "--item", "1"],
    ] {
        roles.run(here, analyst, asked).good();
    }
    let plan = ["plan", "--song-data", "data/song_data", "--log-data", "data/log_data"];
    roles.run(here, analyst, &plan).good();
    put(here, "data/log_data/c.json", event(1, 2, 1_541_376_000_798, "NextSong", "One"));
    for asked in [&ETL[..], &["create-tables", "--yes"]] {
        let said = roles.run(here, analyst, asked).bad(2);
        assert!(said.contains("permission denied") || said.contains("must be owner"), "{said}");
        assert!(said.contains("hint: ") && said.contains("docs/how-to/postgres.md"), "{said}");
    }
    // The same with psql.
    let server = Server {
        user: analyst.into(),
        password: PASSWORD.into(),
        ..Server::of(&roles.database.url())
    };
    let psql = |sql: &str| psql_command(&server, &roles.database.name, sql).output().unwrap();
    for forbidden in [
        "insert into sparkify.users values (1)",
        "drop table sparkify.users",
        "create table sparkify.x (a int)",
        "create table public.x (a int)",
    ] {
        assert!(!psql(forbidden).status.success(), "{forbidden}");
    }
    // The query of `docs/how-to/sql-clients.md`.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/how-to/sql-clients.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("## PostgreSQL").nth(1).unwrap();
    assert!(section.contains("options=-csearch_path=sparkify"));
    let sql = section.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let mut command = psql_command(&server, &roles.database.name, sql);
    let reads = command.env("PGOPTIONS", "-csearch_path=sparkify").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&reads.stdout).trim(), "1|2", "{reads:?}");
    // Tables that the loader creates again are still readable.
    roles.run(here, loader, &["create-tables", "--yes"]).good();
    roles.run(here, loader, &ETL).good();
    roles.run(here, analyst, &["check"]).good();
    // A loader cannot create a schema of another name.
    let url = roles.url(loader).replace("schema=sparkify", "schema=elsewhere");
    let mut command = sparkify(here, ["create-tables", "--warehouse", &url]);
    let said = Ended::from(command.env("PGPASSWORD", PASSWORD).output().unwrap()).bad(2);
    assert!(said.contains("permission denied for database"), "{said}");
}

#[test]
fn the_report_is_the_same_without_temporary_tables() {
    let (roles, folder) = (Roles::new(), tempfile::tempdir().unwrap());
    let here = folder.path();
    put(here, "data/song_data/a.json", song("SO1", "One", 200.5));
    let events = [(0, "One"), (1, "Two")].map(|(item, title)| {
        event(1, item, 1_541_376_000_796 + u64::from(item), "NextSong", title)
    });
    put(here, "data/log_data/a.json", events.join("\n"));
    let (loader, analyst) = (roles.loader.as_str(), roles.analyst.as_str());
    roles.run(here, loader, &ETL).good();
    let report = |name: &str| {
        let ended = roles.run(here, analyst, &["report", "--out", name, "-vv"]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let page = std::fs::read_to_string(here.join(name)).unwrap();
        (ended.err.matches("create temp table page_").count(), page)
    };
    let (created, shared) = report("shared.html");
    assert!(created > 5, "{created}");
    let database = &roles.database.name;
    roles.database.psql(&format!("revoke temporary on database {database} from public"));
    let (created, alone) = report("alone.html");
    assert_eq!(created, 0);
    assert!(alone.contains("Two"));
    assert!(alone == shared, "the pages differ");
}

/// Comments and functions belong to the owner, so another role cannot upgrade; it reads both layouts.
#[test]
fn the_owner_upgrades() {
    let (roles, folder) = (Roles::new(), tempfile::tempdir().unwrap());
    let here = folder.path();
    put(here, "data/song_data/a.json", song("SO1", "One", 200.5));
    put(here, "data/log_data/a.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
    let (loader, analyst) = (roles.loader.as_str(), roles.analyst.as_str());
    roles.run(here, loader, &ETL).good();
    roles.database.psql(&format!("set search_path to sparkify; {}", UNDO_MIGRATIONS.join(";")));
    roles.run(here, analyst, &["check"]).good();
    roles.run(here, analyst, &["upgrade", "--plan"]).good();
    let said = roles.run(here, analyst, &["upgrade"]).bad(2);
    assert!(
        said.contains("error: cannot upgrade the warehouse from layout 1 to 2: functions: "),
        "{said}"
    );
    assert!(said.contains("hint: "), "{said}");
    assert_eq!(roles.database.psql("select to_regclass('sparkify.etl_layout') is null"), "t");
    roles.run(here, loader, &["upgrade"]).good();
    roles.run(here, analyst, &["check"]).good();
}

/// A user's statement reads tables and reaches nothing else.
#[test]
fn guarded_statements_only_read_tables() {
    let (roles, folder) = (Roles::new(), tempfile::tempdir().unwrap());
    let here = folder.path();
    roles.run(here, &roles.loader, &["create-tables"]).good();
    let target = here.join("out");
    let reaching = format!("copy (select 1) to program 'touch {}'", target.display());
    let statements = [
        reaching.as_str(),
        "delete from users",
        "commit",
        "set transaction read write",
        "set role none",
        "do $$ begin delete from users; end $$",
        "with gone as (delete from users returning user_id) select * from gone",
        "select 1; delete from users",
        "select set_config('transaction_read_only', 'off', true)",
        "explain analyze delete from users",
        "select * into other from users",
        "lock table users",
        "call nothing()",
    ];
    let mighty = format!("{}?schema=sparkify", roles.database.url());
    let owner = roles.url(&roles.loader);
    for url in [&mighty, &owner] {
        for statement in statements {
            put(here, "profile.toml", profile(statement));
            let mut command =
                sparkify(here, ["verify", "--profile", "profile.toml", "--warehouse", url]);
            let ended =
                Ended::from(command.env("PGPASSWORD", password(&roles, url)).output().unwrap());
            assert_ne!(ended.code, Some(0), "{statement}: {ended:?}");
        }
    }
    for statement in [
        "select pg_read_file('/etc/passwd')",
        "select * from pg_ls_dir('/')",
        "select query_to_xml('select 1', true, true, '')",
    ] {
        let mut command =
            sparkify(here, ["verify", "--profile", "profile.toml", "--warehouse", &mighty]);
        put(here, "profile.toml", profile(statement));
        let said = Ended::from(command.output().unwrap()).bad(2);
        assert!(said.contains("is not allowed"), "{said}");
    }
    assert!(!target.exists());
    let good = run(
        here,
        [
            "query",
            "--format",
            "csv",
            "(select 1 as a) union all (select 2) order by a",
            "--warehouse",
            &mighty,
        ],
    );
    assert_eq!(good.good(), "a\n1\n2\n");
}

/// Text that runs as SQL hides a function from the list of names, so superusers need permission.
#[test]
fn superusers_run_no_sql_without_permission() {
    let (roles, folder) = (Roles::new(), tempfile::tempdir().unwrap());
    let here = folder.path();
    roles.run(here, &roles.loader, &["create-tables"]).good();
    put(here, "profile.toml", profile("select 1"));
    let mighty = format!("{}?schema=sparkify", roles.database.url());
    let hidden = "select ts_rewrite('a'::tsquery, 'select pg_re' || 'ad_file(''/etc/passwd'')')";
    for arguments in [
        &["query", hidden][..],
        &["query", "select 1"],
        &["query", "select rolpassword from pg_authid"],
        &["verify", "--profile", "profile.toml"],
    ] {
        let mut command = sparkify(here, arguments.iter().copied().chain(["--warehouse", &mighty]));
        command.env_remove("SPARKIFY_ALLOW_SUPERUSER");
        let said = Ended::from(command.output().unwrap()).bad(2);
        assert!(
            said.contains("runs no SQL here") && said.contains("docs/how-to/postgres.md"),
            "{said}"
        );
    }
    let mut command = sparkify(here, ["query", "overview", "--warehouse", &mighty]);
    Ended::from(command.env_remove("SPARKIFY_ALLOW_SUPERUSER").output().unwrap()).good();
}

fn password(roles: &Roles, url: &str) -> String {
    if url.contains("_loader@") { PASSWORD.into() } else { roles.database.server.password.clone() }
}
