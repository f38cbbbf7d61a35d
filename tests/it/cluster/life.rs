//! Life of a cluster: up, status, up again, down, down again, also after kills at any step.

use aws_emulator::{Behavior, CALLER};

use super::Scene;

#[test]
fn a_cluster_is_created_and_deleted_completely() {
    let scene = Scene::usual();
    let up = scene.run(&["up", "--ttl", "4h"]);
    assert!(up.err.contains("creating the role `dwhRole`"), "{up:#?}");
    assert!(up.err.contains("retrying"), "a role is not visible at once: {up:#?}");
    assert!(up.err.contains("created: the role `dwhRole`, the cluster `dwhcluster`"), "{up:#?}");
    let text = up.good();
    assert!(text.contains("dwhcluster.abc123xyz789.us-west-2.redshift.amazonaws.com:5439"));
    assert!(text.contains("about $1.086 per hour") && text.contains("not checked"), "{text}");
    {
        let account = scene.server.account();
        let cluster = &account.clusters["dwhcluster"];
        assert_eq!((cluster.node_type.as_str(), cluster.nodes), ("ra3.large", 2));
        assert!(!cluster.public && cluster.database == "dwh" && cluster.user == "dwhuser");
        assert_eq!(cluster.tags["sparkify:project"], "dwhcluster");
        assert_eq!(cluster.tags["sparkify:owner"], CALLER);
        assert!(cluster.tags.contains_key("sparkify:created"));
        assert_eq!(cluster.tags["sparkify:ttl"], "14400s");
        let role = &account.roles["dwhRole"];
        assert_eq!(role.path, "/sparkify/");
        assert_eq!(role.tags["sparkify:project"], "dwhcluster");
        let policy = &role.policies["sparkify-s3"];
        assert!(policy.contains("arn:aws:s3:::udacity-dend/song_data/*"), "{policy}");
        assert!(policy.contains("arn:aws:s3:::udacity-dend/log_json_path.json\""), "{policy}");
        assert!(!policy.contains("PutObject") && !role.trust.contains("serverless"));
        assert_eq!(account.secrets, ["redshift!dwhcluster-dwhuser"]);
    }
    let status = scene.run(&["status", "--output", "json"]).json();
    assert_eq!(status["available"], true);
    assert_eq!(status["parts"][0]["state"], "available");
    assert_eq!(status["encrypted"], true);
    assert_eq!(status["cost"]["dollars_per_hour"], 1.086);
    assert_eq!(status["cost"]["verified"], false);
    assert_eq!(status["expired"], false);
    let again = scene.run(&["up", "--ttl", "4h"]);
    assert!(again.err.contains("created: nothing"), "{again:#?}");
    again.good();
    assert_eq!(scene.server.account().call_count("CreateRole"), 1);
    assert_eq!(scene.server.account().call_count("PutRolePolicy"), 1);
    let down = scene.run(&["down", "--yes", "--verify"]).good();
    assert!(down.contains("deleted: the cluster `dwhcluster`, the role `dwhRole`"), "{down}");
    assert!(down.contains("verified: no cluster"), "{down}");
    assert_eq!(scene.left(), [""; 0]);
    let down = scene.run(&["down", "--yes", "--verify"]).good();
    assert!(down.contains("nothing to delete for `dwhcluster`"), "{down}");
}

#[test]
fn a_plan_creates_nothing() {
    let scene = Scene::usual();
    let plan = scene.run(&["plan", "--output", "json"]).json();
    assert_eq!(plan["steps"][0]["action"], "create");
    assert_eq!(plan["steps"][1]["what"], "the cluster `dwhcluster`");
    assert_eq!(
        plan["trust_policy"]["Statement"][0]["Principal"]["Service"][0],
        "redshift.amazonaws.com"
    );
    let text = plan["access_policy"].to_string();
    assert!(text.contains("s3:prefix") && !text.contains("ReadOnlyAccess"), "{text}");
    assert!(scene.run(&["plan"]).good().contains("nothing was changed"));
    let changing = ["Create", "Put", "Delete", "Modify", "Authorize", "Update"];
    let account = scene.server.account();
    assert!(
        !account
            .calls
            .iter()
            .any(|call| changing.iter().any(|verb| call.contains(&format!(":{verb}"))))
    );
    assert_eq!(account.resources(), [""; 0]);
}

#[test]
fn killed_at_any_step_the_next_run_goes_on() {
    let steps = [
        ("creating the role", "CreateRole"),
        ("granting the role", "PutRolePolicy"),
        ("retrying", "CreateCluster"),
        ("creating the cluster", "CreateCluster"),
        ("waiting for", "CreateCluster"),
    ];
    for (step, action) in steps {
        let scene = Scene::new(Behavior { polls: 6, ..Behavior::default() });
        scene.stopped(&["up"], step, action, "-KILL");
        scene.run(&["up"]).good();
        {
            let account = scene.server.account();
            assert_eq!((account.clusters.len(), account.roles.len()), (1, 1), "{step}");
            assert_eq!(account.roles["dwhRole"].policies.len(), 1, "{step}");
            assert_eq!(account.clusters["dwhcluster"].lifecycle.state, "available");
        }
        for (step, action) in [
            ("deleting the cluster", "DeleteCluster"),
            ("waiting for the deletion", "DescribeClusters"),
        ] {
            scene.stopped(&["down", "--yes"], step, action, "-KILL");
        }
        scene.run(&["down", "--yes", "--verify"]).good();
        assert_eq!(scene.left(), [""; 0], "{step}");
    }
    println!("killed at {} steps of the way up and 2 of the way down", steps.len());
}

#[test]
fn ctrl_c_reports_what_exists_and_how_to_continue() {
    let scene = Scene::new(Behavior { never_completes: true, ..Behavior::default() });
    let stopped = scene.stopped(&["up"], "waiting for", "CreateCluster", "-INT").bad(2);
    assert!(stopped.contains("so far: the role `dwhRole`, the cluster `dwhcluster`"), "{stopped}");
    assert!(stopped.contains("`sparkify cluster down` to delete it"), "{stopped}");
    scene.server.account().clusters.get_mut("dwhcluster").unwrap().lifecycle.state =
        "available".into();
    scene.run(&["down", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn down_asks_for_the_name() {
    let scene = Scene::usual();
    scene.run(&["up"]).good();
    let refused = scene.run(&["down"]).bad(2);
    assert!(refused.contains("pass `--yes`"), "{refused}");
    assert_eq!(scene.server.account().call_count("DeleteCluster"), 0);
    let run = |answer: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sparkify"));
        command.args(["cluster", "down", "--poll", "0.02"]).current_dir(scene.folder.path());
        command.env("AWS_ENDPOINT_URL", scene.server.url()).env("AWS_REGION", aws_emulator::REGION);
        command
            .env("AWS_ACCESS_KEY_ID", aws_emulator::KEY)
            .env("AWS_SECRET_ACCESS_KEY", aws_emulator::SECRET);
        let mut terminal = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
        terminal.exp_string("Type the cluster name to confirm: ").unwrap();
        terminal.send_line(answer).unwrap();
        terminal.exp_eof().unwrap()
    };
    assert!(run("dwhclutser").contains("nothing was deleted"));
    assert_eq!(scene.server.account().call_count("DeleteCluster"), 0);
    run("dwhcluster");
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_requested_snapshot_is_kept_and_reported() {
    let scene = Scene::usual();
    scene.run(&["up"]).good();
    let down = scene.run(&["down", "--yes", "--verify", "--final-snapshot", "last"]).good();
    assert!(down.contains("kept          snapshot `last`"), "{down}");
    assert_eq!(scene.left(), ["snapshot last"]);
    // The message names a snapshot that the user did not request, since it costs money.
    let later = scene.run(&["down", "--yes", "--verify"]);
    assert!(later.out.contains("still exists  snapshot `last`"), "{later:#?}");
    later.bad(1);
}

#[test]
fn leftover_resources_are_found() {
    let scene = Scene::new(Behavior { keeps_leftovers: true, ..Behavior::default() });
    scene.run(&["up"]).good();
    let down = scene.run(&["down", "--yes", "--verify"]);
    assert!(down.out.contains("automated snapshot `rs:dwhcluster-left`"), "{down:#?}");
    assert!(down.out.contains("secret `redshift!dwhcluster-dwhuser`"), "{down:#?}");
    assert!(down.bad(1).contains("2 resources still exist"));
    let json = scene.run(&["down", "--yes", "--verify", "--output", "json"]);
    assert_eq!(json.code, Some(1));
    assert!(json.out.contains("\"wanted\": false"), "{json:#?}");
}
