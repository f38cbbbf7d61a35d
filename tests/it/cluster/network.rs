//! Network access: none from outside by default, then one address, until it is revoked.

use super::{Scene, ended};

#[test]
fn access_from_one_address_is_granted_and_revoked() {
    let scene = Scene::usual();
    let up = scene.run(&["up", "--public"]);
    assert!(up.err.contains("allowing `203.0.113.7/32` to reach port 5439"), "{up:#?}");
    assert!(up.good().contains("yes, from 203.0.113.7/32"));
    scene.run(&["up", "--public"]).good();
    {
        let account = scene.server.account();
        assert_eq!(account.rules.len(), 1);
        assert!(account.clusters["dwhcluster"].public);
        let rule = account.rules.values().next().unwrap();
        assert_eq!((rule.cidr.as_str(), rule.port), ("203.0.113.7/32", 5439));
    }
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn the_client_address_is_configured_or_detected() {
    let scene = Scene::usual();
    let mut command = scene.command(["cluster", "up", "--public", "--poll", "0.02"]);
    let said =
        ended(command.env("SPARKIFY_ADDRESS_URL", format!("{}/none", scene.server.url()))).bad(2);
    assert!(said.contains("cannot determine this machine's address"), "{said}");
    scene.run(&["up", "--public", "--allow-cidr", "198.51.100.0/24"]).good();
    assert_eq!(scene.server.account().rules.values().next().unwrap().cidr, "198.51.100.0/24");
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_leftover_security_group_rule_is_found() {
    let scene = Scene::usual();
    scene.run(&["up", "--public"]).good();
    scene.server.account().fail(
        "RevokeSecurityGroupIngress",
        1,
        "UnauthorizedOperation",
        "not allowed",
    );
    scene.run(&["down", "--yes"]).bad(2);
    assert!(scene.left().iter().any(|thing| thing.starts_with("rule ")));
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}
