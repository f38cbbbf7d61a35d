//! Serverless: namespace and workgroup, created, killed in between, deleted in order, reaped.

use aws_emulator::Behavior;

use super::Scene;

#[test]
fn a_workgroup_is_created_and_deleted_completely() {
    let scene = Scene::usual();
    let up = scene.run(&["up", "--serverless"]);
    let made = "created: the role `dwhRole`, the namespace `dwhcluster`, the workgroup `dwhcluster`, the limit of 64 RPU-hours per day";
    assert!(up.err.contains(made), "{up:#?}");
    let text = up.good();
    assert!(text.contains("8 RPU") && text.contains("billed by the second"), "{text}");
    {
        let account = scene.server.account();
        assert_eq!(account.workgroups["dwhcluster"].fields["baseCapacity"], 8);
        assert_eq!(account.workgroups["dwhcluster"].fields["maxCapacity"], 8);
        let limit = &account.usage_limits[0];
        assert_eq!((limit.amount, limit.period.as_str()), (64, "daily"));
        assert_eq!(limit.breach_action, "deactivate");
        assert_eq!(account.namespaces["dwhcluster"].tags["sparkify:project"], "dwhcluster");
        assert!(account.roles["dwhRole"].trust.contains("redshift-serverless.amazonaws.com"));
    }
    let again = scene.run(&["up", "--serverless"]);
    assert!(again.err.contains("created: nothing"), "{again:#?}");
    let status = scene.run(&["status", "--serverless", "--output", "json"]).json();
    assert_eq!(
        status["host"],
        "dwhcluster.123456789012.us-west-2.redshift-serverless.amazonaws.com"
    );
    assert!(status["role_arn"].as_str().unwrap().ends_with(":role/sparkify/dwhRole"), "{status}");
    assert_eq!(status["cost"]["dollars_so_far"], serde_json::Value::Null);
    let down = scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
    let order = "the workgroup `dwhcluster`, the namespace `dwhcluster`, the role `dwhRole`";
    assert!(down.contains(order) && down.contains("verified"), "{down}");
    assert_eq!(scene.left(), [""; 0]);
    scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
}

#[test]
fn capacity_and_usage_are_limited_as_configured() {
    let scene = Scene::usual();
    let up = ["up", "--serverless", "--base-capacity", "16"];
    let limited = [&up[..], &["--max-capacity", "64", "--usage-limit", "100"]].concat();
    let plan = scene.run(&[&["plan"], &limited[1..]].concat()).good();
    assert!(plan.contains("at most 64 RPU and 100 RPU-hours per day"), "{plan}");
    scene.run(&limited).good();
    {
        let account = scene.server.account();
        let fields = &account.workgroups["dwhcluster"].fields;
        assert_eq!((&fields["baseCapacity"], &fields["maxCapacity"]), (&16.into(), &64.into()));
        assert_eq!(account.usage_limits[0].amount, 100);
    }
    scene.run(&limited).good();
    assert_eq!(scene.server.account().call_count("CreateUsageLimit"), 1);
    scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
    scene.run(&[&up[..], &["--usage-limit", "none"]].concat()).good();
    assert_eq!(scene.server.account().usage_limits, []);
    for (flag, value) in [("--max-capacity", "8"), ("--usage-limit", "0")] {
        let refused = scene.run(&[&up[..], &[flag, value]].concat()).bad(2);
        assert!(refused.contains("hint: "), "{refused}");
    }
}

/// IAM cannot restrict this permission to one workgroup, so it may be missing.
#[test]
fn a_usage_limit_that_may_not_be_set_is_a_warning() {
    let scene = Scene::usual();
    scene.server.account().fail(
        "CreateUsageLimit",
        1,
        "AccessDeniedException",
        "not authorized to perform: redshift-serverless:CreateUsageLimit",
    );
    let up = scene.run(&["up", "--serverless"]);
    assert!(up.err.contains("warning: no usage limit is set"), "{up:#?}");
    assert!(up.err.contains("redshift-serverless:CreateUsageLimit"), "{up:#?}");
    up.good();
    let again = scene.run(&["up", "--serverless"]);
    assert!(again.err.contains("created: the limit of 64 RPU-hours per day"), "{again:#?}");
}

#[test]
fn killed_at_any_step_the_next_run_goes_on() {
    for (step, action) in [
        ("creating the role", "CreateRole"),
        ("creating the namespace", "CreateNamespace"),
        ("waiting for", "CreateNamespace"),
        ("creating the workgroup", "CreateWorkgroup"),
        ("waiting for the workgroup", "CreateWorkgroup"),
    ] {
        let scene = Scene::new(Behavior { polls: 6, ..Behavior::default() });
        scene.stopped(&["up", "--serverless"], step, action, "-KILL");
        scene.run(&["up", "--serverless"]).good();
        for (step, action) in [
            ("deleting the workgroup", "DeleteWorkgroup"),
            ("deleting the namespace", "DeleteNamespace"),
        ] {
            scene.stopped(&["down", "--serverless", "--yes"], step, action, "-KILL");
        }
        scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
        assert_eq!(scene.left(), [""; 0], "{step}");
    }
}

#[test]
fn verify_finds_resources_of_the_other_kind() {
    let scene = Scene::usual();
    scene.run(&["up", "--serverless"]).good();
    let down = scene.run(&["down", "--yes", "--verify"]);
    assert!(down.out.contains("still exists  workgroup `dwhcluster`"), "{down:#?}");
    assert!(down.err.contains("keeping the role `dwhRole`"), "{down:#?}");
    down.bad(1);
    assert_eq!(scene.server.account().roles.len(), 1);
    scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_final_snapshot_is_taken_of_the_namespace() {
    let scene = Scene::usual();
    scene.run(&["up", "--serverless"]).good();
    scene.run(&["down", "--serverless", "--yes", "--verify", "--final-snapshot", "last"]).good();
    assert_eq!(scene.left(), ["snapshot last"]);
}

#[test]
fn a_foreign_namespace_is_not_changed() {
    let scene = Scene::usual();
    scene.server.account().fail("CreateWorkgroup", 1, "AccessDeniedException", "not authorized");
    let said = scene.run(&["up", "--serverless"]).bad(2);
    assert!(said.contains("docs/how-to/redshift.md"), "{said}");
    let tags =
        std::mem::take(&mut scene.server.account().namespaces.get_mut("dwhcluster").unwrap().tags);
    for command in [vec!["up"], vec!["down", "--yes"]] {
        let said = scene.run(&[command.as_slice(), &["--serverless"]].concat()).bad(2);
        assert!(said.contains("the namespace `dwhcluster` already exists"), "{said}");
    }
    scene.server.account().namespaces.get_mut("dwhcluster").unwrap().tags = tags;
    {
        let mut account = scene.server.account();
        account.fail(
            "DeleteNamespace",
            2,
            "ConflictException",
            "There is an operation running on the namespace",
        );
    }
    scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
    assert_eq!(scene.server.account().faults_left(), 0);
    assert_eq!(scene.left(), [""; 0]);
}
