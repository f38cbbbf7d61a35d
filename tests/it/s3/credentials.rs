//! Who asks: keys from every place where people keep them, and plain words when none of them will do. No secret is ever said.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use super::metadata::Metadata;
use super::story::small;
use super::{ETL, LOGS, SONGS, ended, plays, program, run, signed};
use crate::support::put;
use s3_emulator::{KEY, SECRET, Server};

/// The program with the server's endpoint, and no key.
fn keyless(server: &Server, folder: &Path) -> Command {
    let mut command = program(folder, ETL);
    command.env("AWS_ENDPOINT_URL_S3", server.endpoint());
    command
}

fn loads(command: &mut Command, folder: &Path) {
    ended(command).good();
    assert_eq!(plays(folder), "2");
}

fn as_json(token: &str) -> String {
    format!(
        "{{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"{KEY}\",\"SecretAccessKey\":\"{SECRET}\",\
         \"Token\":\"{token}\",\"Expiration\":\"2999-01-01T00:00:00Z\"}}"
    )
}

fn as_xml(action: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>of-sts</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>"
    )
}

#[test]
fn a_profile_gives_keys_region_and_endpoint() {
    let (server, folder) = small();
    let config =
        format!("[profile work]\nregion = eu-west-1\nendpoint_url = {}\n", server.endpoint());
    put(folder.path(), ".aws/config", config);
    let keys = format!("[work]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    put(folder.path(), ".aws/credentials", &keys);
    "eu-west-1".clone_into(&mut server.state.region.lock().unwrap());
    let mut command = program(folder.path(), ETL);
    loads(command.env("AWS_PROFILE", "work"), folder.path());

    put(folder.path(), "dwh.cfg", "[AWS]\nPROFILE = work\n");
    loads(&mut program(folder.path(), ETL), folder.path());
    put(folder.path(), "elsewhere", keys.replace("[work]", "[default]"));
    let mut command = keyless(&server, folder.path());
    std::fs::remove_file(folder.path().join("dwh.cfg")).unwrap();
    loads(command.env("AWS_SHARED_CREDENTIALS_FILE", "elsewhere"), folder.path());

    let mut command = program(folder.path(), ETL);
    let words = ended(command.env("AWS_PROFILE", "wrok")).bad(2);
    assert!(words.contains("there is no profile `wrok`"), "{words}");
    assert!(words.contains("hint: did you mean `work`?"), "{words}");
    let mut command = keyless(&server, folder.path());
    let words = ended(command.env("AWS_CONFIG_FILE", "nowhere")).bad(2);
    assert!(words.contains("cannot read the AWS configuration file `nowhere`"), "{words}");
}

#[test]
fn a_program_may_print_the_keys() {
    let (server, folder) = small();
    let printed = as_json("of-a-program").replace("\"Token\"", "\"SessionToken\"");
    put(folder.path(), "keys.json", printed);
    put(folder.path(), ".aws/config", "[default]\ncredential_process = cat keys.json\n");
    loads(&mut keyless(&server, folder.path()), folder.path());
    for (process, says) in [
        ("exit 3", "the `credential_process` of the profile failed (exit status: 3)"),
        ("echo another+secret", "printed something else than credentials"),
    ] {
        put(folder.path(), ".aws/config", format!("[default]\ncredential_process = {process}\n"));
        let words = ended(&mut keyless(&server, folder.path())).bad(2);
        assert!(words.contains(says), "{words}");
    }
}

#[test]
fn a_role_is_taken_on_with_keys_or_with_a_token() {
    let (server, folder) = small();
    let sts = Metadata::start(vec![
        ("Action=AssumeRole&", as_xml("AssumeRole")),
        ("POST / ", as_xml("AssumeRoleWithWebIdentity")),
    ]);
    put(
        folder.path(),
        ".aws/config",
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = another+secret\n\
         [profile role]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = base\nexternal_id = x y\n",
    );
    let mut command = keyless(&server, folder.path());
    command.env("AWS_PROFILE", "role").env("AWS_ENDPOINT_URL_STS", sts.url());
    loads(&mut command, folder.path());
    let asked = sts.asked();
    assert!(asked.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader"), "{asked}");
    assert!(asked.contains("ExternalId=x%20y") && asked.contains("AKIABASE/"), "{asked}");

    put(folder.path(), "token", "a-token-of-kubernetes\n");
    let mut command = keyless(&server, folder.path());
    command
        .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", "token");
    loads(command.env("AWS_ENDPOINT_URL_STS", sts.url()), folder.path());
    assert!(sts.asked().contains("WebIdentityToken=a-token-of-kubernetes"));

    let refusing = Metadata::start(Vec::new());
    let mut command = keyless(&server, folder.path());
    command.env("AWS_PROFILE", "role").env("AWS_ENDPOINT_URL_STS", refusing.url());
    let words = ended(&mut command).bad(2);
    assert!(words.contains("was refused (HTTP 404)"), "{words}");
}

#[test]
fn a_container_and_a_machine_give_keys() {
    let (server, folder) = small();
    let machine = Metadata::start(vec![
        ("GET /keys", as_json("of-a-container")),
        ("PUT /latest/api/token", "a-token".into()),
        ("/security-credentials/reader", as_json("of-a-machine")),
        ("/security-credentials/", "reader".into()),
    ]);
    let url = format!("{}/keys", machine.url());
    let mut command = keyless(&server, folder.path());
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
    loads(command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "its-token"), folder.path());
    assert!(machine.asked().to_lowercase().contains("authorization: its-token"));

    put(folder.path(), "its-token", "from-a-file");
    let mut command = keyless(&server, folder.path());
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
    loads(command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "its-token"), folder.path());
    assert!(machine.asked().to_lowercase().contains("authorization: from-a-file"));

    let mut command = keyless(&server, folder.path());
    command.env_remove("AWS_EC2_METADATA_DISABLED");
    loads(command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url()), folder.path());
}

#[test]
fn keys_that_will_not_do_are_told_apart() {
    let (server, folder) = small();
    let wrong = |key: &str, secret: &str| {
        let mut command = signed(&server, folder.path(), ETL);
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
        ended(&mut command).bad(2)
    };
    let mut loud = signed(&server, folder.path(), ETL);
    loud.arg("-vv");
    let said = ended(&mut loud);
    assert!(said.code == Some(0) && said.err.contains("INFO stage events"), "{said:#?}");
    assert!(!said.err.contains("connection"), "a library's own words: {said:#?}");
    let words = wrong("NOTTHEKEY", SECRET);
    assert!(
        words.contains("does not know this access key (InvalidAccessKeyId, HTTP 403)"),
        "{words}"
    );
    let words = wrong(KEY, "another+secret");
    assert!(words.contains("the signature is wrong (SignatureDoesNotMatch, HTTP 403)"), "{words}");
    assert!(words.contains("hint: check AWS_SECRET_ACCESS_KEY"), "{words}");
    let words = wrong(KEY, "another+secret\nX: y");
    assert!(words.contains("`AWS_SECRET_ACCESS_KEY` of the environment holds a space"), "{words}");

    let mut command = keyless(&server, folder.path());
    let words = ended(command.env("AWS_ACCESS_KEY_ID", KEY)).bad(2);
    assert!(words.contains("has `AWS_ACCESS_KEY_ID` and no `AWS_SECRET_ACCESS_KEY`"), "{words}");
    let words = ended(&mut keyless(&server, folder.path())).bad(2);
    assert!(words.contains("no credentials were found"), "{words}");
    assert!(words.contains("hint: set AWS_ACCESS_KEY_ID"), "{words}");

    *server.state.expired_token.lock().unwrap() = Some("old".into());
    let mut command = signed(&server, folder.path(), ETL);
    let words = ended(command.env("AWS_SESSION_TOKEN", "old")).bad(2);
    assert!(words.contains("the credentials have expired (ExpiredToken, HTTP 400)"), "{words}");
}

#[test]
fn a_public_bucket_needs_no_key_and_a_paid_one_a_word() {
    let (server, folder) = small();
    let nobody = |more: &[&str]| ended(keyless(&server, folder.path()).args(more));
    assert!(nobody(&["--no-sign-request"]).bad(2).contains("access is denied (AccessDenied"));
    server.state.is_public.store(true, Ordering::Relaxed);
    nobody(&["--no-sign-request"]).good();
    assert_eq!(plays(folder.path()), "2");

    server.state.is_public.store(false, Ordering::Relaxed);
    server.state.requester_pays.store(true, Ordering::Relaxed);
    let words = run(&server, folder.path(), &ETL).bad(2);
    assert!(words.contains("access is denied") && words.contains("`--request-payer`"), "{words}");
    run(&server, folder.path(), &[&ETL[..], &["--request-payer"]].concat()).good();
}

#[test]
fn doctor_lists_and_reads_the_bucket_or_says_why_not() {
    let (server, folder) = small();
    let doctor = ["doctor", "--song-data", SONGS, "--log-data", LOGS];
    let found = run(&server, folder.path(), &doctor).good();
    assert!(found.contains("bytes read of"), "{found}");
    let mut command = signed(&server, folder.path(), doctor);
    let report = ended(command.env("AWS_SECRET_ACCESS_KEY", "another+secret"));
    assert!(report.out.contains("log data       failed"), "{report:#?}");
    assert_eq!(report.code, Some(1));
}
