//! `dwh.cfg`: what is written into it, what stays byte for byte, and the password that nobody ever sees.

use super::{CONFIG, PASSWORD, Scene};
use crate::support::put;

const SECRET: &str =
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:redshift!dwhcluster-dwhuser-AbCdEf";
const HOST: &str = "dwhcluster.abc123xyz789.us-west-2.redshift.amazonaws.com";

#[test]
fn endpoint_and_role_are_written_and_every_other_byte_stays() {
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
        // The role that stands in it now is still ours: it is kept, and goes with the cluster.
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
fn a_file_that_names_our_former_role_makes_it_anew() {
    let scene = Scene::usual();
    scene.run(&["up", "--write-config"]).good();
    scene.run(&["down", "--yes"]).good();
    scene.run(&["up"]).good();
    assert_eq!(scene.server.account().roles.len(), 1);
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_password_of_ones_own_is_used_and_never_shown() {
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
fn an_old_file_is_mapped_and_told_why() {
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
fn the_staging_prefix_alone_may_be_written_to() {
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
