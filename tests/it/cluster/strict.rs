//! The emulator itself: it refuses what the documentation forbids, called with the SDK
//! directly.

use aws_emulator::{Behavior, KEY, REGION, SECRET, Server};
use aws_sdk_redshift::error::ProvideErrorMetadata;
use aws_sdk_redshift::operation::create_cluster::builders::CreateClusterFluentBuilder as Create;

type Change = fn(Create) -> Create;

fn client(server: &Server, secret: &str) -> aws_sdk_redshift::Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_redshift::Config::builder()
        .behavior_version(aws_sdk_redshift::config::BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(aws_sdk_redshift::config::Region::new(REGION))
        .endpoint_url(server.url())
        .credentials_provider(aws_sdk_redshift::config::Credentials::new(
            KEY, secret, None, None, "test",
        ));
    aws_sdk_redshift::Client::from_conf(config.build())
}

#[test]
fn every_documented_rule_is_enforced() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::start(Behavior::default()).unwrap();
    let client = client(&server, SECRET);
    let good = || {
        let create = client.create_cluster().cluster_identifier("one").node_type("ra3.large");
        create.cluster_type("single-node").master_username("awsuser").manage_master_password(true)
    };
    let cases: &[(&str, Change)] = &[
        ("InvalidParameterValue", |c| c.node_type("dc2.large")),
        ("InvalidParameterValue", |c| c.node_type("m5.large")),
        ("MissingParameter", |c| c.cluster_type("multi-node")),
        ("NumberOfNodesPerClusterLimitExceeded", |c| c.node_type("ra3.4xlarge")),
        ("InvalidParameterCombination", |c| c.number_of_nodes(3)),
        ("InvalidParameterValue", |c| c.cluster_type("multi-node").number_of_nodes(101)),
        ("InvalidParameterValue", |c| c.encrypted(false)),
        ("InvalidParameterValue", |c| c.port(1234)),
        ("InvalidParameterValue", |c| c.cluster_identifier("Upper")),
        ("InvalidParameterValue", |c| c.cluster_identifier("a--b")),
        ("InvalidParameterValue", |c| c.cluster_identifier("end-")),
        ("InvalidParameterValue", |c| c.master_username("PUBLIC")),
        ("InvalidParameterValue", |c| c.db_name("Not-a-name")),
        ("InvalidParameterValue", |c| c.manage_master_password(false).master_user_password("weak")),
        ("InvalidParameterValue", |c| {
            c.manage_master_password(false).master_user_password("With@1Sign")
        }),
        ("InvalidParameterCombination", |c| c.master_user_password("Passw0rd1")),
        ("MissingParameter", |c| c.set_manage_master_password(None)),
        ("InvalidParameterValue", |c| c.iam_roles("arn:aws:iam::123456789012:role/none")),
        ("ClusterSubnetGroupNotFoundFault", |c| c.cluster_subnet_group_name("none")),
        ("InvalidParameterValue", |c| c.vpc_security_group_ids("sg-none")),
        ("UnknownParameter", |c| c.additional_info("what nobody here knows")),
        ("InvalidTagFault", |c| {
            c.tags(aws_sdk_redshift::types::Tag::builder().key("aws:mine").value("x").build())
        }),
    ];
    for (code, change) in cases {
        let error = runtime.block_on(change(good()).send()).unwrap_err();
        assert_eq!(error.code(), Some(*code), "{error:?}");
    }
    runtime.block_on(good().send()).unwrap();
    let delete = client.delete_cluster().cluster_identifier("one");
    let error = runtime.block_on(delete.send()).unwrap_err();
    assert_eq!(
        error.code(),
        Some("InvalidParameterCombination"),
        "a snapshot is neither named nor skipped"
    );
    let error = runtime.block_on(good().send()).unwrap_err();
    assert_eq!(error.code(), Some("ClusterAlreadyExists"));
    println!("{} documented refusals", cases.len() + 2);
}

#[test]
fn a_wrongly_signed_request_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::start(Behavior::default()).unwrap();
    let error =
        runtime.block_on(client(&server, "another").describe_clusters().send()).unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    runtime.block_on(client(&server, SECRET).describe_clusters().send()).unwrap();
}
