//! A namespace and a workgroup: up, again, killed in between, down in order, reaped.

use aws_emulator::Manners;

use super::Scene;

#[test]
fn from_nothing_to_a_workgroup_and_back_to_nothing() {
    let scene = Scene::usual();
    let up = scene.run(&["up", "--serverless"]);
    let made = "made: the role `dwhRole`, the namespace `dwhcluster`, the workgroup `dwhcluster`";
    assert!(up.err.contains(made), "{up:#?}");
    let text = up.good();
    assert!(text.contains("8 RPU") && text.contains("paid while it works"), "{text}");
    {
        let world = scene.server.world();
        assert_eq!(world.workgroups["dwhcluster"].fields["baseCapacity"], 8);
        assert_eq!(world.namespaces["dwhcluster"].tags["sparkify:project"], "dwhcluster");
        assert!(world.roles["dwhRole"].trust.contains("redshift-serverless.amazonaws.com"));
    }
    let again = scene.run(&["up", "--serverless"]);
    assert!(again.err.contains("made: no change"), "{again:#?}");
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
fn killed_at_any_step_the_next_run_goes_on() {
    for step in [
        "creating the role",
        "creating the namespace",
        "waiting for",
        "creating the workgroup",
        "waiting for the workgroup",
    ] {
        let scene = Scene::new(Manners { looks: 6, ..Manners::default() });
        scene.stopped(&["up", "--serverless"], step, "-KILL");
        scene.run(&["up", "--serverless"]).good();
        for step in ["deleting the workgroup", "deleting the namespace"] {
            scene.stopped(&["down", "--serverless", "--yes"], step, "-KILL");
        }
        scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
        assert_eq!(scene.left(), [""; 0], "{step}");
    }
}

#[test]
fn verify_finds_the_form_that_was_not_asked_for() {
    let scene = Scene::usual();
    scene.run(&["up", "--serverless"]).good();
    let down = scene.run(&["down", "--yes", "--verify"]);
    assert!(down.out.contains("still exists  workgroup `dwhcluster`"), "{down:#?}");
    assert!(down.err.contains("the role `dwhRole` stays"), "{down:#?}");
    down.bad(1);
    assert_eq!(scene.server.world().roles.len(), 1);
    scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn a_final_snapshot_is_the_namespaces() {
    let scene = Scene::usual();
    scene.run(&["up", "--serverless"]).good();
    scene.run(&["down", "--serverless", "--yes", "--verify", "--final-snapshot", "last"]).good();
    assert_eq!(scene.left(), ["snapshot last"]);
}

#[test]
fn somebody_elses_namespace_is_never_touched_and_trouble_is_told() {
    let scene = Scene::usual();
    scene.server.world().refuse("CreateWorkgroup", 1, "AccessDeniedException", "not authorized");
    let said = scene.run(&["up", "--serverless"]).bad(2);
    assert!(said.contains("docs/redshift.md"), "{said}");
    let tags =
        std::mem::take(&mut scene.server.world().namespaces.get_mut("dwhcluster").unwrap().tags);
    for command in [vec!["up"], vec!["down", "--yes"]] {
        let said = scene.run(&[command.as_slice(), &["--serverless"]].concat()).bad(2);
        assert!(said.contains("the namespace `dwhcluster` is there already"), "{said}");
    }
    scene.server.world().namespaces.get_mut("dwhcluster").unwrap().tags = tags;
    {
        let mut world = scene.server.world();
        world.refuse(
            "DeleteNamespace",
            2,
            "ConflictException",
            "There is an operation running on the namespace",
        );
    }
    scene.run(&["down", "--serverless", "--yes", "--verify"]).good();
    assert_eq!(scene.server.world().faults_left(), 0);
    assert_eq!(scene.left(), [""; 0]);
}

#[test]
fn reap_takes_a_workgroup_with_its_namespace() {
    let scene = Scene::new(Manners { looks: 0, ..Manners::default() });
    scene.run(&["up", "--serverless", "--ttl", "1s"]).good();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let reaped = scene.run(&["reap"]).good();
    assert!(reaped.contains("1 past their time"), "{reaped}");
    assert_eq!(scene.left(), [""; 0]);
}
