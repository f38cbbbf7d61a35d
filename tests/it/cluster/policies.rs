//! The policies of `docs/iam`: they suffice for all commands, and allow no damage to other resources.

use aws_emulator::{Behavior, GROUP, Permission, Policy, Role};

use super::{Scene, at};

const ATTACH: &str = include_str!("../../../docs/iam/attach.json");
const CREATE_ROLES: &str = include_str!("../../../docs/iam/create-roles.json");
const PUBLIC_ACCESS: &str = include_str!("../../../docs/iam/public-access.json");
const USAGE_LIMIT: &str = include_str!("../../../docs/iam/usage-limit.json");
const BOUNDARY: &str = include_str!("../../../docs/iam/boundary.json");
const ROLE_TRUST: &str = include_str!("../../../docs/iam/role-trust.json");
const ROLE_ACCESS: &str = include_str!("../../../docs/iam/role-access.json");

const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/redshift-reader";
const BOUNDARY_ARN: &str = "arn:aws:iam::123456789012:policy/sparkify-boundary";

/// Fills in the placeholders, as the documentation tells the reader to do.
fn filled(text: &str) -> String {
    let values = [
        ("ACCOUNT", "123456789012"),
        ("REGION", "us-west-2"),
        ("NAME", "dwhcluster"),
        ("USER", "dwhuser"),
        ("ROLE", "redshift-reader"),
        ("GROUP", GROUP),
        ("BUCKET", "udacity-dend"),
        ("STAGING", "mine"),
    ];
    values.into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn policies(texts: &[&str]) -> Vec<Policy> {
    texts.iter().map(|text| Policy::parse(&filled(text)).unwrap()).collect()
}

impl Scene {
    /// An account whose caller has only these policies, with a role that an administrator made.
    fn restricted(texts: &[&str]) -> Self {
        let scene = Self::new(Behavior { polls: 0, ..Behavior::default() });
        let role = Role {
            path: "/".into(),
            trust: filled(ROLE_TRUST),
            policies: [("read".to_owned(), filled(ROLE_ACCESS))].into(),
            attached: Vec::new(),
            boundary: None,
            tags: [].into(),
            delay: 0,
        };
        let mut account = scene.server.account();
        account.roles.insert("redshift-reader".into(), role);
        account.policies = Some(policies(texts));
        drop(account);
        scene
    }

    /// Creates, inspects, deletes, and lets a second one expire.
    fn whole_life(&self, options: &[&str]) {
        let run = |arguments: &[&str]| self.run(&[arguments, options].concat()).good();
        run(&["plan"]);
        run(&["up", "--ttl", "1h"]);
        run(&["status"]);
        run(&["up", "--ttl", "2h"]);
        run(&["down", "--yes", "--verify"]);
        run(&["up", "--ttl", "1h"]);
        self.server.account().expire("dwhcluster");
        let reaped = self.run(&["reap"]).good();
        assert!(reaped.contains("1 expired"), "{reaped}");
        assert_eq!(self.left(), ["role redshift-reader"], "{options:?}");
    }
}

#[test]
fn a_role_made_by_an_administrator_needs_no_permission_to_write_roles() {
    for form in [&[][..], &["--serverless"]] {
        let scene = Scene::restricted(&[ATTACH]);
        scene.whole_life(&[form, &["--role-arn", ROLE_ARN]].concat());
        let account = scene.server.account();
        let writing = ["CreateRole", "PutRolePolicy", "DeleteRole", "TagRole"];
        assert!(writing.iter().all(|action| account.call_count(action) == 0), "{account:?}");
        assert_eq!(account.roles["redshift-reader"].policies.len(), 1);
    }
}

#[test]
fn roles_with_the_boundary_can_be_created_and_no_others() {
    for form in [&[][..], &["--serverless"]] {
        let scene = Scene::restricted(&[ATTACH, CREATE_ROLES]);
        scene.whole_life(&[form, &["--permissions-boundary", BOUNDARY_ARN]].concat());
        let refused = scene.run(&[&["up"], form].concat()).bad(2);
        assert!(refused.contains("not authorized to perform: iam:CreateRole"), "{refused}");
        assert!(refused.contains("docs/how-to/redshift.md"), "{refused}");
        assert_eq!(scene.left(), ["role redshift-reader"]);
    }
}

#[test]
fn public_access_and_usage_limits_are_further_policies() {
    let scene = Scene::restricted(&[ATTACH, PUBLIC_ACCESS]);
    scene.whole_life(&["--role-arn", ROLE_ARN, "--public"]);
    let scene = Scene::restricted(&[ATTACH, USAGE_LIMIT]);
    scene.run(&["up", "--serverless", "--role-arn", ROLE_ARN]).good();
    assert_eq!(scene.server.account().usage_limits.len(), 1);
    // Without its policy, the limit is a warning.
    let scene = Scene::restricted(&[ATTACH]);
    let up = scene.run(&["up", "--serverless", "--role-arn", ROLE_ARN]);
    assert!(up.err.contains("warning: no usage limit is set"), "{up:#?}");
    up.good();
    let refused = scene.run(&["up", "--role-arn", ROLE_ARN, "--public"]).bad(2);
    assert!(refused.contains("ec2:AuthorizeSecurityGroupIngress"), "{refused}");
}

#[test]
fn doctor_needs_no_further_permission() {
    let scene = Scene::restricted(&[ATTACH, CREATE_ROLES]);
    scene.run(&["up", "--permissions-boundary", BOUNDARY_ARN, "--write-config"]).good();
    let mut doctor = at(
        scene.server.url(),
        scene.folder.path(),
        ["doctor", "--warehouse", "redshift://u@127.0.0.1:9/dev", "--output", "json"],
    );
    let report = super::ended(&mut doctor);
    assert!(report.out.contains("Redshift may assume `dwhRole`"), "{report:#?}");
    assert!(!report.out.contains("not authorized"), "{report:#?}");
}

fn cluster(name: &str) -> String {
    format!("arn:aws:redshift:us-west-2:123456789012:cluster:{name}")
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

fn secret(name: &str) -> String {
    format!("arn:aws:secretsmanager:us-west-2:123456789012:secret:{name}-AbCdEf")
}

/// Calls that harm resources of others, or give the caller more rights.
fn damaging() -> Vec<Permission> {
    let call = |action: &str, resource: &str| Permission::new(action, resource);
    let tagged =
        |it: Permission, kind: &str| it.with(&format!("aws:{kind}/sparkify:project"), "dwhcluster");
    let bounded = |it: Permission| it.with("iam:PermissionsBoundary", BOUNDARY_ARN);
    let namespace = "arn:aws:redshift-serverless:us-west-2:123456789012:namespace/0-1";
    let group = "arn:aws:ec2:us-west-2:123456789012:security-group/sg-other";
    let mut calls = vec![
        // A foreign cluster, even with the tag, and a cluster of the name that is not sparkify's.
        tagged(call("redshift:DeleteCluster", &cluster("production")), "ResourceTag"),
        tagged(call("redshift:ModifyClusterIamRoles", &cluster("production")), "ResourceTag"),
        tagged(call("redshift:CreateTags", &cluster("production")), "RequestTag"),
        tagged(call("redshift:CreateCluster", &cluster("another")), "RequestTag"),
        tagged(call("redshift:DeleteCluster", &cluster("dwhcluster-production")), "ResourceTag"),
        call("redshift:DeleteCluster", &cluster("dwhcluster")),
        call("redshift:ModifyCluster", &cluster("dwhcluster")),
        call("redshift:GetClusterCredentials", "*"),
        // A foreign namespace cannot be tagged first and deleted then.
        call("redshift-serverless:DeleteNamespace", namespace),
        tagged(call("redshift-serverless:TagResource", namespace), "RequestTag"),
        call("redshift-serverless:DeleteNamespace", namespace)
            .with("aws:ResourceTag/sparkify:project", "another"),
        call("redshift-serverless:CreateNamespace", namespace),
        call("redshift-serverless:CreateUsageLimit", "*"),
        call("redshift-serverless:UpdateUsageLimit", "*"),
        // More rights.
        call("iam:CreateRole", &role("sparkify/admin")),
        call("iam:CreateRole", &role("sparkify/admin"))
            .with("iam:PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"),
        bounded(call("iam:CreateRole", &role("admin"))),
        call("iam:PutRolePolicy", &role("sparkify/unbounded")),
        bounded(call("iam:PutRolePolicy", &role("admin"))),
        bounded(call("iam:UpdateAssumeRolePolicy", &role("admin"))),
        call("iam:DeleteRole", &role("admin")),
        call("iam:TagRole", &role("admin")),
        call("iam:PassRole", &role("sparkify/any"))
            .with("iam:PassedToService", "ec2.amazonaws.com"),
        call("iam:PassRole", &role("admin")).with("iam:PassedToService", "redshift.amazonaws.com"),
        // Secrets and networks of others.
        call("secretsmanager:DeleteSecret", &secret("redshift!production-awsuser")),
        call("secretsmanager:DeleteSecret", &secret("redshift!dwhcluster-production-dwhuser")),
        call("secretsmanager:UpdateSecret", &secret("production")),
        call("ec2:AuthorizeSecurityGroupIngress", group),
        call("ec2:RevokeSecurityGroupIngress", group),
        call("ec2:CreateTags", "arn:aws:ec2:us-west-2:123456789012:instance/i-0"),
        call("ec2:CreateTags", "arn:aws:ec2:us-west-2:123456789012:security-group-rule/sgr-0"),
        call("s3:GetObject", "arn:aws:s3:::production/x"),
    ];
    let of_any_role =
        ["AttachRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"];
    for action in of_any_role {
        calls.push(bounded(call(&format!("iam:{action}"), &role("sparkify/dwhRole"))));
    }
    for action in ["CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"] {
        calls.push(call(&format!("iam:{action}"), BOUNDARY_ARN));
    }
    for name in ["redshift!dwhcluster-dwhuser", "redshift!production-awsuser"] {
        calls.push(call("secretsmanager:GetSecretValue", &secret(name)));
    }
    calls
}

#[test]
fn damaging_calls_are_denied_by_all_policies_together() {
    let policies = policies(&[ATTACH, CREATE_ROLES, PUBLIC_ACCESS]);
    for call in damaging() {
        assert!(!Policy::allow(&policies, &call), "{call:?}");
    }
    println!("{} damaging calls denied", damaging().len());
}

/// A role can do what its policy and the boundary both allow.
#[test]
fn the_boundary_leaves_a_role_its_buckets_and_nothing_else() {
    let boundary = policies(&[BOUNDARY]);
    let allows =
        |action: &str, resource: &str| Policy::allow(&boundary, &Permission::new(action, resource));
    let scene = Scene::usual();
    let config = super::CONFIG.replace("[S3]\n", "[S3]\nSTAGING=s3://mine/staging/\n");
    crate::support::put(scene.folder.path(), "dwh.cfg", config);
    scene.run(&["up"]).good();
    let written = scene.server.account().roles["dwhRole"].policies["sparkify-s3"].clone();
    let written = [Policy::parse(&written).unwrap()];
    for (action, resource) in [
        ("s3:GetObject", "arn:aws:s3:::udacity-dend/song_data/A/x.json"),
        ("s3:PutObject", "arn:aws:s3:::mine/staging/x"),
        ("s3:DeleteObject", "arn:aws:s3:::mine/staging/x"),
    ] {
        let call = Permission::new(action, resource);
        assert!(Policy::allow(&written, &call) && allows(action, resource), "{action}");
    }
    assert!(allows("s3:ListBucket", "arn:aws:s3:::udacity-dend"));
    for (action, resource) in [
        ("s3:GetObject", "arn:aws:s3:::production/x"),
        ("s3:PutObject", "arn:aws:s3:::udacity-dend/song_data/x"),
        ("s3:DeleteBucket", "arn:aws:s3:::mine"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/admin"),
        ("iam:CreateUser", "*"),
    ] {
        assert!(!allows(action, resource), "{action} {resource}");
    }
}
