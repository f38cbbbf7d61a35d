//! The role: the bounds that it is created with, and foreign statements in it, with which it is refused.

use serde_json::{Value, json};

use super::Scene;

const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/sparkify-boundary";

type Change = fn(&mut aws_emulator::Role);

fn with_statement(policy: &mut String, statement: Value) {
    let mut document: Value = serde_json::from_str(policy).unwrap();
    document["Statement"].as_array_mut().unwrap().push(statement);
    *policy = document.to_string();
}

#[test]
fn a_role_with_foreign_rights_is_refused_and_left_alone() {
    let cases: &[(&str, Change)] = &[
        ("a trust policy", |role| {
            let anyone = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"});
            with_statement(&mut role.trust, anyone);
        }),
        ("a trust policy", |role| {
            let account = json!({"Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:aws:iam::210987654321:root"}});
            with_statement(&mut role.trust, account);
        }),
        ("the policies `other`", |role| {
            let read = r#"{"Version":"2012-10-17","Statement":[]}"#;
            role.policies.insert("other".into(), read.into());
        }),
        ("the policies `AdministratorAccess`", |role| {
            role.attached.push("AdministratorAccess".into());
        }),
        ("a statement in `sparkify-s3`", |role| {
            let all = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
            with_statement(role.policies.get_mut("sparkify-s3").unwrap(), all);
        }),
    ];
    for (word, change) in cases {
        let scene = Scene::usual();
        scene.run(&["up", "--write-config"]).good();
        let before = {
            let mut account = scene.server.account();
            let role = account.roles.get_mut("dwhRole").unwrap();
            change(role);
            role.clone()
        };
        scene.server.account().calls.clear();
        for command in ["up", "plan"] {
            let refused = scene.run(&[command]).bad(2);
            assert!(refused.contains(&format!("the role `dwhRole` has {word}")), "{refused}");
            assert!(refused.contains("sparkify did not write"), "{refused}");
            assert!(refused.contains("hint: remove it"), "{refused}");
        }
        let account = scene.server.account();
        let role = &account.roles["dwhRole"];
        assert_eq!((&role.trust, &role.policies), (&before.trust, &before.policies));
        let changing = ["Put", "Update", "Create", "Tag", "Delete", "Modify"];
        let changes = account
            .calls
            .iter()
            .filter(|call| changing.iter().any(|verb| call.contains(&format!(":{verb}"))));
        assert_eq!(changes.collect::<Vec<_>>(), [""; 0], "{word}");
    }
}

#[test]
fn other_prefixes_of_an_own_role_are_updated() {
    let scene = Scene::usual();
    scene.run(&["up", "--song-data", "s3://other/songs"]).good();
    let up = scene.run(&["up"]);
    assert!(up.err.contains("granting the role `dwhRole` access"), "{up:#?}");
    let policy = scene.server.account().roles["dwhRole"].policies["sparkify-s3"].clone();
    assert!(policy.contains("udacity-dend/song_data") && !policy.contains("other"), "{policy}");
}

#[test]
fn the_permissions_boundary_is_passed_and_compared() {
    let scene = Scene::usual();
    let bounded = ["--permissions-boundary", BOUNDARY];
    let plan = scene.run(&["plan", bounded[0], bounded[1]]).good();
    assert!(plan.contains(BOUNDARY), "{plan}");
    scene.run(&["up", bounded[0], bounded[1]]).good();
    assert_eq!(scene.server.account().roles["dwhRole"].boundary.as_deref(), Some(BOUNDARY));
    scene.run(&["up", bounded[0], bounded[1]]).good();
    for (boundary, word) in [
        (None, "has no permissions boundary"),
        (Some("arn:aws:iam::aws:policy/AdministratorAccess"), "AdministratorAccess`, not"),
    ] {
        scene.server.account().roles.get_mut("dwhRole").unwrap().boundary =
            boundary.map(str::to_owned);
        let refused = scene.run(&["up", bounded[0], bounded[1]]).bad(2);
        assert!(refused.contains(word), "{refused}");
    }
    let refused = scene.run(&["up", "--permissions-boundary", "sparkify-boundary"]).bad(2);
    assert!(refused.contains("the permissions boundary"), "{refused}");
    let config = super::CONFIG
        .replace("[IAM_ROLE]\n", &format!("[IAM_ROLE]\nPERMISSIONS_BOUNDARY='{BOUNDARY}'\n"));
    crate::support::put(scene.folder.path(), "dwh.cfg", config);
    scene.run(&["down", "--yes"]).good();
    scene.run(&["up"]).good();
    assert_eq!(scene.server.account().roles["dwhRole"].boundary.as_deref(), Some(BOUNDARY));
}
