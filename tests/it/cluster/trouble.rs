//! Failures: credentials, permissions, quotas, throttling, used names, clusters that fail or
//! time out.

use aws_emulator::Behavior;

use super::{Scene, ended};

#[test]
fn wrong_credentials_are_reported_and_nothing_is_created() {
    let scene = Scene::usual();
    for (id, secret) in [("AKIAWRONG", "x"), (aws_emulator::KEY, "wrongsecret")] {
        let mut command = scene.command(["cluster", "up"]);
        let said =
            ended(command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret)).bad(2);
        assert!(said.contains("cannot check the AWS identity"), "{said}");
        assert!(said.contains("hint: check the access key"), "{said}");
        assert!(!said.contains("wrongsecret"), "{said}");
    }
    let mut command = scene.command(["cluster", "up"]);
    let none = command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    assert!(ended(none).bad(2).contains("no AWS credentials found"));
    let mut command = scene.command(["cluster", "up"]);
    let nobody =
        ended(command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1"));
    assert!(nobody.bad(2).contains("check the network"));
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn keys_of_the_configuration_file_are_used() {
    let scene = Scene::usual();
    let keys = format!(
        "{}\n[AWS]\nKEY={}\nSECRET={}\n",
        super::CONFIG,
        aws_emulator::KEY,
        aws_emulator::SECRET
    );
    crate::support::put(scene.folder.path(), "dwh.cfg", keys);
    let mut command = scene.command(["cluster", "status"]);
    let without = command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let said = ended(without.env_remove("AWS_REGION")).good();
    assert!(said.contains("no provisioned warehouse `dwhcluster` in us-west-2"), "{said}");
}

#[test]
fn a_missing_permission_is_named_and_up_is_undone() {
    for action in ["CreateRole", "PutRolePolicy", "CreateCluster", "DescribeClusters"] {
        let scene = Scene::usual();
        scene.server.account().fail(
            action,
            1,
            "AccessDenied",
            "User is not authorized to perform it",
        );
        let said = scene.run(&["up"]).bad(2);
        assert!(
            said.contains("(`AccessDenied`)") && said.contains("docs/how-to/redshift.md"),
            "{said}"
        );
        assert_eq!(scene.server.account().faults_left(), 0);
        scene.run(&["down", "--yes", "--verify"]).good();
        assert_eq!(scene.left(), [""; 0], "{action}");
    }
}

#[test]
fn throttling_and_concurrent_changes_are_retried() {
    let scene = Scene::usual();
    {
        let mut account = scene.server.account();
        account.fail("CreateCluster", 2, "Throttling", "Rate exceeded");
        account.fail("DescribeClusters", 2, "Throttling", "Rate exceeded");
        account.fail("CreateRole", 1, "ConcurrentModification", "try again");
        account.fail(
            "DeleteCluster",
            2,
            "InvalidClusterState",
            "modified by a concurrent operation",
        );
    }
    scene.run(&["up"]).good();
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.server.account().faults_left(), 0);
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_reached_quota_is_reported() {
    let scene = Scene::new(Behavior { cluster_quota: 0, ..Behavior::default() });
    let said = scene.run(&["up"]).bad(2);
    assert!(said.contains("ClusterQuotaExceeded") && said.contains("quota"), "{said}");
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn foreign_resources_are_not_changed() {
    let scene = Scene::usual();
    scene.run(&["up"]).good();
    for (what, word) in [
        ("cluster", "the cluster `dwhcluster` already exists"),
        ("role", "the role `dwhRole` already exists"),
    ] {
        let tags = {
            let mut account = scene.server.account();
            let tags = match what {
                "cluster" => &mut account.clusters.get_mut("dwhcluster").unwrap().tags,
                _ => &mut account.roles.get_mut("dwhRole").unwrap().tags,
            };
            std::mem::take(tags)
        };
        for command in ["up", "plan"] {
            let said = scene.run(&[command]).bad(2);
            assert!(said.contains(word) && said.contains("was not created by sparkify"), "{said}");
        }
        let before = scene.left();
        if what == "cluster" {
            scene.run(&["down", "--yes"]).bad(2);
            assert_eq!(scene.left(), before);
            scene.server.account().clusters.get_mut("dwhcluster").unwrap().tags = tags;
        } else {
            scene.run(&["down", "--yes"]).good();
            assert_eq!(scene.left(), ["role dwhRole"]);
        }
    }
}

#[test]
fn a_given_role_is_used_unchanged_and_kept() {
    let scene = Scene::usual();
    scene.run(&["up", "--name", "first", "--role-name", "theirs"]).good();
    let arn = {
        let mut account = scene.server.account();
        let role = account.roles.get_mut("theirs").unwrap();
        role.tags.clear();
        role.path = "/".into();
        format!("arn:aws:iam::{}:role/theirs", aws_emulator::ACCOUNT)
    };
    let policies = scene.server.account().roles["theirs"].policies.clone();
    let up = scene.run(&["up", "--role-arn", &arn]);
    assert!(up.err.contains("unchanged"), "{up:#?}");
    up.good();
    assert_eq!(scene.server.account().clusters["dwhcluster"].roles, [arn]);
    scene.run(&["down", "--yes", "--verify"]).good();
    let account = scene.server.account();
    assert_eq!(account.roles["theirs"].policies, policies);
    assert_eq!(account.roles.len(), 1);
}

#[test]
fn a_failed_cluster_reports_its_state_and_can_be_deleted() {
    let scene =
        Scene::new(Behavior { created_state: "incompatible-network", ..Behavior::default() });
    let said = scene.run(&["up"]).bad(2);
    assert!(said.contains("ended in the state `incompatible-network`"), "{said}");
    assert!(said.contains("hint: delete it with `sparkify cluster down`"), "{said}");
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_wait_times_out_with_the_last_state() {
    let scene = Scene::new(Behavior { never_completes: true, ..Behavior::default() });
    let mut command = scene.command(["cluster", "up", "--poll", "0.1", "--timeout", "2s"]);
    let said = ended(&mut command).bad(2);
    assert!(said.contains("the cluster `dwhcluster` is `creating` after 2 s"), "{said}");
    assert!(said.contains("it continues where it stopped"), "{said}");
}

#[test]
fn invalid_settings_are_refused_before_any_request() {
    let scene = Scene::usual();
    for (arguments, word) in [
        (vec!["--node-type", "m5.large"], "the node type"),
        (vec!["--node-type", "ra3.4xlarge", "--nodes", "1"], "the number of nodes"),
        (vec!["--serverless", "--base-capacity", "7"], "the base capacity"),
        (vec!["--name", "Bad--Name"], "the cluster name"),
        (vec!["--public", "--allow-cidr", "0.0.0.0/0"], "the address range"),
        (vec!["--role-arn", "dwhRole"], "the role ARN"),
        (vec!["--ttl", "soon"], "the duration"),
    ] {
        let said = scene.run(&[&["up"], arguments.as_slice()].concat()).bad(2);
        assert!(said.contains(word) && said.contains("hint: "), "{said}");
    }
    crate::support::put(scene.folder.path(), "dwh.cfg", super::CONFIG.replace("5439", "8080"));
    assert!(scene.run(&["up"]).bad(2).contains("the port"));
    assert_eq!(scene.server.account().calls, [""; 0]);
}
