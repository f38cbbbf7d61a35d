//! `dwh.cfg`: what is written, what is kept byte for byte, and passwords that are never
//! printed.

use super::{CONFIG, PASSWORD, Scene};
use crate::support::put;

const SECRET: &str =
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:redshift!dwhcluster-dwhuser-AbCdEf";
const HOST: &str = "dwhcluster.abc123xyz789.us-west-2.redshift.amazonaws.com";

#[test]
fn only_endpoint_and_role_are_written_to_the_file() {
    for (name, text) in [("unix", CONFIG.to_owned()), ("windows", CONFIG.replace('\n', "\r\n"))] {
        let scene = Scene::usual();
        put(scene.folder.path(), "dwh.cfg", &text);
        scene.run(&["up", "--write-config"]).good();
        let arn = format!("arn:aws:iam::{}:role/sparkify/dwhRole", aws_emulator::ACCOUNT);
        let end = if name == "windows" { "\r\n" } else { "\n" };
        let url = format!("redshift:cluster/dwhcluster/dwh?region=us-west-2&secret={SECRET}");
        let expected = text
            .replace("HOST=''", &format!("HOST='{HOST}'"))
            .replace("ARN=''", &format!("ARN='{arn}'"))
            + &format!("{end}[WAREHOUSE]{end}URL = {url}{end}");
        let read = || std::fs::read_to_string(scene.folder.path().join("dwh.cfg")).unwrap();
        assert_eq!(read(), expected, "{name}");
        // The role in the file was created by sparkify: it is kept, and deleted with the
        // cluster.
        let again = scene.run(&["up", "--write-config"]);
        assert!(
            again.err.contains("created: nothing") && again.err.contains("wrote 0 values"),
            "{again:#?}"
        );
        scene.run(&["down", "--yes", "--verify", "--write-config"]).good();
        assert_eq!(read(), text, "{name}");
        assert_eq!(scene.left(), [""; 0]);
        let files: Vec<_> = std::fs::read_dir(scene.folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "nothing else is left beside it: {files:?}");
    }
}

#[test]
fn a_deleted_role_of_the_file_is_created_again() {
    let scene = Scene::usual();
    scene.run(&["up", "--write-config"]).good();
    scene.run(&["down", "--yes"]).good();
    scene.run(&["up"]).good();
    assert_eq!(scene.server.account().roles.len(), 1);
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_configured_password_is_used_and_never_printed() {
    let scene = Scene::usual();
    let mut command =
        scene.command(["cluster", "up", "--password-from-config", "--poll", "0.02", "-vv"]);
    super::ended(&mut command).good();
    assert_eq!(scene.server.account().secrets, [""; 0]);
    scene.run(&["down", "--yes", "--verify"]).good();
    put(scene.folder.path(), "dwh.cfg", CONFIG.replace(PASSWORD, "weak-word"));
    let said = scene.run(&["up", "--password-from-config"]).bad(2);
    assert!(said.contains("`****` for the password") && !said.contains("weak-word"), "{said}");
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn settings_of_old_files_are_mapped_with_a_note() {
    let scene = Scene::usual();
    let old =
        CONFIG.replace("ra3.large", "dc2.large").replace("DWH_NUM_NODES=2", "DWH_NUM_NODES=4");
    put(scene.folder.path(), "dwh.cfg", old);
    let up = scene.run(&["up"]);
    assert!(up.err.contains("warning: using `ra3.large` instead of `dc2.large`"), "{up:#?}");
    up.good();
    assert_eq!(scene.server.account().clusters["dwhcluster"].nodes, 4);
    let larger = scene.run(&["up", "--node-type", "ra3.xlplus"]);
    assert!(larger.err.contains("it is not changed"), "{larger:#?}");
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn the_role_may_write_to_the_staging_prefix_only() {
    let scene = Scene::usual();
    put(
        scene.folder.path(),
        "dwh.cfg",
        CONFIG.replace("[S3]\n", "[S3]\nSTAGING=s3://mine/staging/\n"),
    );
    scene.run(&["up"]).good();
    let policy = scene.server.account().roles["dwhRole"].policies["sparkify-s3"].clone();
    let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
    let writes: Vec<_> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| statement["Action"].to_string().contains("PutObject"))
        .collect();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0]["Resource"], "arn:aws:s3:::mine/staging/*");
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}
