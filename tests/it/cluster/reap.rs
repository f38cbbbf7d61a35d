//! `cluster reap`: only expired parts are deleted, each judged by its own tag; across regions on moto.

use std::fmt::Write;

use aws_emulator::{Behavior, REGION, Server};

use super::moto::{call, url};
use super::{CONFIG, Scene, at, ended};
use crate::support::{Ended, put};

const PAST: &str = "2020-01-01T00:00:00Z";

#[test]
fn expired_clusters_are_deleted_and_nothing_else() {
    let scene = Scene::usual();
    scene.run(&["up", "--ttl", "1h", "--name", "short", "--role-name", "shortRole"]).good();
    scene.run(&["up", "--ttl", "4h", "--name", "long", "--role-name", "longRole"]).good();
    scene.run(&["up", "--name", "forever", "--role-name", "foreverRole"]).good();
    {
        let mut account = scene.server.account();
        account.expire("short");
        let mut foreign = account.clusters["short"].clone();
        foreign.tags.clear();
        account.clusters.insert("foreign".into(), foreign);
    }
    let dry = scene.run(&["reap", "--dry-run"]).good();
    assert!(dry.contains("would delete the cluster `short`, the role `shortRole`"), "{dry}");
    assert_eq!(scene.server.account().clusters.len(), 4);
    let reaped = scene.run(&["reap"]).good();
    assert!(reaped.contains("1 expired, 2 kept"), "{reaped}");
    let account = scene.server.account();
    assert_eq!(account.clusters.keys().collect::<Vec<_>>(), ["foreign", "forever", "long"]);
    assert_eq!(account.roles.keys().collect::<Vec<_>>(), ["foreverRole", "longRole"]);
}

#[test]
fn an_expired_workgroup_takes_its_namespace_with_it() {
    let scene = Scene::new(Behavior { polls: 0, ..Behavior::default() });
    scene.run(&["up", "--serverless", "--ttl", "1h"]).good();
    scene.server.account().expire("dwhcluster");
    let reaped = scene.run(&["reap"]).good();
    assert!(reaped.contains("1 expired"), "{reaped}");
    assert_eq!(scene.left(), [""; 0]);
}

/// The role of an earlier, expired warehouse must not end the life of one without expiry.
#[test]
fn a_warehouse_without_expiry_keeps_its_role() {
    let scene = Scene::usual();
    scene.run(&["up"]).good();
    let role = |scene: &Scene| scene.server.account().roles["dwhRole"].clone();
    for tag in ["sparkify:expires", "sparkify:region:us-west-2"] {
        let mut account = scene.server.account();
        account.roles.get_mut("dwhRole").unwrap().tags.insert(tag.into(), PAST.into());
        drop(account);
        let before = scene.left();
        let reaped = scene.run(&["reap"]).good();
        assert!(reaped.contains("0 expired, 1 kept"), "{tag}: {reaped}");
        assert_eq!(scene.left(), before, "{tag}");
    }
    // The next `up` gives the role the expiry of its warehouse: none.
    scene.run(&["up"]).good();
    assert_eq!(role(&scene).tags["sparkify:region:us-west-2"], "none");
    assert_eq!(role(&scene).tags["sparkify:expires"], "none");
}

#[test]
fn each_warehouse_of_a_name_has_its_own_expiry() {
    let scene = Scene::usual();
    scene.run(&["up", "--ttl", "1h", "--public"]).good();
    scene.server.account().expire("dwhcluster");
    scene.run(&["up", "--serverless", "--public"]).good();
    let reaped = scene.run(&["reap"]).good();
    assert!(reaped.contains("deleted the cluster `dwhcluster`\n"), "{reaped}");
    let account = scene.server.account();
    assert!(account.clusters.is_empty() && account.workgroups.len() == 1);
    assert!(account.roles.len() == 1 && account.rules.len() == 1);
}

/// A workgroup without expiry keeps its namespace, and the other way round.
#[test]
fn half_a_serverless_warehouse_does_not_expire() {
    for part in ["workgroup", "namespace"] {
        let scene = Scene::usual();
        scene.run(&["up", "--serverless", "--ttl", "1h"]).good();
        {
            let mut account = scene.server.account();
            account.expire("dwhcluster");
            let resources =
                if part == "namespace" { &mut account.namespaces } else { &mut account.workgroups };
            resources.get_mut("dwhcluster").unwrap().tags.remove("sparkify:expires");
        }
        let before = scene.left();
        let reaped = scene.run(&["reap"]).good();
        assert!(reaped.contains("0 expired, 1 kept"), "{part}: {reaped}");
        assert_eq!(scene.left(), before);
    }
}

#[test]
fn up_prolongs_a_life_only_with_ttl() {
    let scene = Scene::usual();
    scene.run(&["up", "--ttl", "1h"]).good();
    scene.server.account().expire("dwhcluster");
    let again = scene.run(&["up"]);
    assert!(again.err.contains("warning: the cluster `dwhcluster` expired at 2020"), "{again:#?}");
    assert!(again.err.contains("created: nothing"), "{again:#?}");
    let prolonged = scene.run(&["up", "--ttl", "4h"]);
    assert!(!prolonged.err.contains("expired at"), "{prolonged:#?}");
    assert!(prolonged.err.contains("created: nothing"), "{prolonged:#?}");
    let account = scene.server.account();
    let tags = &account.clusters["dwhcluster"].tags;
    assert!(tags["sparkify:expires"].as_str() > "2026" && tags["sparkify:ttl"] == "14400s");
    let role = &account.roles["dwhRole"].tags;
    assert_eq!(role["sparkify:region:us-west-2"], tags["sparkify:expires"]);
    drop(account);
    assert!(scene.run(&["reap"]).good().contains("0 expired, 1 kept"));
}

#[test]
fn a_new_warehouse_does_not_inherit_the_expiry_of_a_deleted_one() {
    let scene = Scene::new(Behavior { polls: 6, ..Behavior::default() });
    scene.run(&["up", "--ttl", "1h"]).good();
    scene.server.account().expire("dwhcluster");
    scene.stopped(&["down", "--yes"], "waiting for the deletion", "DescribeClusters", "-KILL");
    scene.run(&["up"]).good();
    let account = scene.server.account();
    assert!(!account.clusters["dwhcluster"].tags.contains_key("sparkify:expires"));
    assert_eq!(account.roles["dwhRole"].tags["sparkify:region:us-west-2"], "none");
    drop(account);
    assert!(scene.run(&["reap"]).good().contains("0 expired, 1 kept"));
}

/// Resources of version 0.1: no region in names and tags.
#[test]
fn resources_of_version_0_1_are_found_kept_and_deleted() {
    let scene = Scene::usual();
    let config = CONFIG.replace("DWH_IAM_ROLE_NAME=dwhRole\n", "");
    put(scene.folder.path(), "dwh.cfg", config);
    scene.run(&["up", "--role-name", "dwhcluster-s3"]).good();
    {
        let mut account = scene.server.account();
        let older = |tags: &mut std::collections::BTreeMap<String, String>| {
            tags.retain(|key, _| !key.starts_with("sparkify:region"));
        };
        older(&mut account.roles.get_mut("dwhcluster-s3").unwrap().tags);
        older(&mut account.clusters.get_mut("dwhcluster").unwrap().tags);
    }
    let status = scene.run(&["status", "--output", "json"]).json();
    assert_eq!(status["parts"][1]["name"], "dwhcluster-s3", "{status}");
    assert_eq!(status["parts"][1]["ours"], true, "{status}");
    let up = scene.run(&["up"]);
    assert!(up.err.contains("created: nothing"), "{up:#?}");
    {
        let account = scene.server.account();
        assert_eq!(account.clusters["dwhcluster"].tags["sparkify:region"], REGION);
        assert_eq!(account.roles["dwhcluster-s3"].tags["sparkify:region:us-west-2"], "none");
    }
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
    scene.run(&["up"]).good();
    assert_eq!(
        scene.server.account().roles.keys().collect::<Vec<_>>(),
        ["dwhcluster-us-west-2-s3"]
    );
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

/// A cluster of one name on moto, which has all regions.
struct Moto {
    /// Answers for Redshift Serverless, which moto does not know.
    serverless: Server,
    folder: tempfile::TempDir,
    name: &'static str,
    role: String,
}

impl Moto {
    fn new(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let role = format!("{name}Role");
        let config = CONFIG.replace("dwhCluster", name).replace("dwhRole", &role);
        put(folder.path(), "dwh.cfg", config);
        let serverless = Behavior { region: None, ..Behavior::default() };
        Self { serverless: Server::start(serverless).unwrap(), folder, name, role }
    }

    fn run(&self, region: &str, arguments: &[&str]) -> Ended {
        let quick = ["--poll", "0.05", "--timeout", "60s", "--region", region];
        let arguments = ["cluster"].iter().chain(arguments).chain(&quick);
        let mut command = at(&url(), self.folder.path(), arguments);
        ended(command.env("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", self.serverless.url()))
    }

    fn up(&self, region: &str) {
        self.run(region, &["up", "--password-from-config"]).good();
    }

    /// Sets tags of the role, as another version of the program wrote them.
    fn tag_role(&self, tags: &[(&str, &str)]) {
        let mut body = format!("Action=TagRole&Version=2010-05-08&RoleName={}", self.role);
        for (number, (key, value)) in (1..).zip(tags) {
            let _ =
                write!(body, "&Tags.member.{number}.Key={key}&Tags.member.{number}.Value={value}");
        }
        call(&url(), "iam", "us-east-1", &body);
    }

    /// Removes the tags that version 0.1 did not write.
    fn make_older(&self, regions: &[&str]) {
        let mut body = format!("Action=UntagRole&Version=2010-05-08&RoleName={}", self.role);
        for (number, region) in (1..).zip(regions) {
            let _ = write!(body, "&TagKeys.member.{number}=sparkify:region:{region}");
        }
        call(&url(), "iam", "us-east-1", &body);
    }

    fn expire_cluster(&self, region: &str) {
        let name = self.name;
        let body = format!(
            "Action=CreateTags&Version=2012-12-01&ResourceName=arn:aws:redshift:{region}:123456789012:cluster:{name}&Tags.Tag.1.Key=sparkify:expires&Tags.Tag.1.Value={PAST}"
        );
        call(&url(), "redshift", region, &body);
    }

    /// The names of the existing parts in a region.
    fn parts(&self, region: &str) -> Vec<String> {
        let status = self.run(region, &["status", "--output", "json"]).json();
        let parts = status["parts"].as_array().unwrap();
        parts.iter().map(|part| part["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_cluster_without_expiry_outlives_an_expired_role_on_moto() {
    let moto = Moto::new("moto-forever");
    moto.up(REGION);
    // As version 0.1 tagged it, in a run with `--ttl`.
    moto.make_older(&[REGION]);
    moto.tag_role(&[("sparkify:expires", PAST)]);
    let reaped = moto.run(REGION, &["reap"]).good();
    assert!(!reaped.contains("moto-forever"), "{reaped}");
    assert_eq!(moto.parts(REGION), ["moto-forever", "moto-foreverRole"]);
    moto.run(REGION, &["down", "--yes", "--verify"]).good();
}

#[test]
fn a_role_that_another_region_uses_is_kept_on_moto() {
    let (here, there) = (REGION, "eu-west-1");
    for is_older in [true, false] {
        let name = if is_older { "moto-older" } else { "moto-newer" };
        let moto = Moto::new(name);
        moto.up(there);
        let make_older = |regions: &[&str]| {
            if is_older {
                moto.make_older(regions);
                moto.tag_role(&[("sparkify:expires", PAST)]);
            }
        };
        // There is no cluster here: the role belongs to the other region.
        make_older(&[there]);
        for reap in [&["reap", "--dry-run"][..], &["reap"]] {
            let reaped = moto.run(here, reap).good();
            assert!(!reaped.contains(name), "{reaped}");
        }
        assert_eq!(moto.parts(there), [name, &moto.role], "{name}");
        // An expired cluster here goes, and leaves the role.
        moto.up(here);
        make_older(&[here, there]);
        if !is_older {
            moto.tag_role(&[("sparkify:region:us-west-2", PAST)]);
        }
        moto.expire_cluster(here);
        let reaped = moto.run(here, &["reap"]);
        assert!(
            reaped.err.contains(&format!("keeping the role `{}`: {there}", moto.role)),
            "{reaped:#?}"
        );
        assert!(reaped.good().contains(&format!("deleted the cluster `{name}`\n")));
        assert_eq!(moto.parts(here), [moto.role.as_str()]);
        assert_eq!(moto.parts(there), [name, &moto.role]);
        // `down` keeps it too, and it is no leftover of the region that no longer uses it.
        moto.up(here);
        moto.run(here, &["down", "--yes", "--verify", "--write-config"]).good();
        assert_eq!(moto.parts(there), [name, &moto.role]);
        // The last region deletes it.
        moto.run(there, &["down", "--yes", "--verify"]).good();
        assert_eq!(moto.parts(there), [""; 0]);
    }
}
