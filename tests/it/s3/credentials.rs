//! Sources of credentials, each over real HTTP against the S3 emulator, and the messages where one
//! fails. No secret is ever printed.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use super::end_to_end::small;
use super::metadata::Metadata;
use super::{ETL, LOGS, SONGS, ended, plays, program, run, signed};
use crate::support::put;
use s3_emulator::{KEY, SECRET, Server};

/// Returns `etl` with the server's endpoint and no key.
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
    let message = ended(command.env("AWS_PROFILE", "wrok")).bad(2);
    assert!(message.contains("there is no profile `wrok`"), "{message}");
    assert!(message.contains("hint: did you mean `work`?"), "{message}");
    let mut command = keyless(&server, folder.path());
    let message = ended(command.env("AWS_CONFIG_FILE", "nowhere")).bad(2);
    assert!(message.contains("cannot read the AWS configuration file `nowhere`"), "{message}");
}

#[test]
fn a_profile_sets_the_endpoint_of_each_service() {
    let (server, folder) = small();
    let config = format!(
        "[default]\nservices = local\nendpoint_url = http://127.0.0.1:9\n\
         [services local]\ns3 =\n  endpoint_url = {}\n",
        server.endpoint()
    );
    put(folder.path(), ".aws/config", &config);
    let mut command = program(folder.path(), ETL);
    command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
    loads(&mut command, folder.path());
    put(folder.path(), ".aws/config", config.replace("http://", "ftp://"));
    let message = ended(&mut command).bad(2);
    assert!(message.contains("invalid value `ftp://"), "{message}");
}

#[test]
fn credential_process_gives_keys() {
    let (server, folder) = small();
    let printed = as_json("of-a-program").replace("\"Token\"", "\"SessionToken\"");
    put(folder.path(), "keys.json", printed);
    put(folder.path(), ".aws/config", "[default]\ncredential_process = cat keys.json\n");
    loads(&mut keyless(&server, folder.path()), folder.path());
    for (process, expected) in [
        ("exit 3", "the `credential_process` of the profile `default` failed (exit status: 3)"),
        ("echo another+secret", "printed something else than credentials"),
    ] {
        put(folder.path(), ".aws/config", format!("[default]\ncredential_process = {process}\n"));
        let message = ended(&mut keyless(&server, folder.path())).bad(2);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_role_is_assumed_with_keys_a_container_or_a_web_identity_token() {
    let (server, folder) = small();
    let sts = Metadata::start(vec![
        ("Action=AssumeRole&", as_xml("AssumeRole")),
        ("Action=AssumeRoleWithWebIdentity&", as_xml("AssumeRoleWithWebIdentity")),
    ]);
    put(
        folder.path(),
        ".aws/config",
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = another+secret\n\
         [profile role]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = base\nexternal_id = x y\n\
         [profile container]\nrole_arn = arn:aws:iam::1:role/task\ncredential_source = EcsContainer\n",
    );
    let mut command = keyless(&server, folder.path());
    command.env("AWS_PROFILE", "role").env("AWS_ENDPOINT_URL_STS", sts.url());
    loads(&mut command, folder.path());
    let requests = sts.requests();
    assert!(requests.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader"), "{requests}");
    assert!(requests.contains("ExternalId=x%20y") && requests.contains("AKIABASE/"), "{requests}");

    let container = Metadata::start(vec![("GET /keys", as_json("of-a-container"))]);
    let mut command = keyless(&server, folder.path());
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/keys", container.url()));
    command.env("AWS_PROFILE", "container").env("AWS_ENDPOINT_URL_STS", sts.url());
    loads(&mut command, folder.path());
    assert!(sts.requests().contains("role%2Ftask") && container.requests().contains("GET /keys"));

    put(folder.path(), "token", "a-token-of-kubernetes");
    let mut command = keyless(&server, folder.path());
    command
        .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod")
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", "token");
    loads(command.env("AWS_ENDPOINT_URL_STS", sts.url()), folder.path());
    assert!(sts.requests().contains("WebIdentityToken=a-token-of-kubernetes"));

    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized: \
                  sts:AssumeRole</Message></Error></ErrorResponse>";
    let denying = Metadata::refusing("403 Forbidden", denied);
    let mut command = keyless(&server, folder.path());
    command.env("AWS_PROFILE", "role").env("AWS_ENDPOINT_URL_STS", denying.url());
    let message = ended(&mut command).bad(2);
    assert!(message.contains("was refused (AccessDenied, HTTP 403): not authorized"), "{message}");
    assert!(message.contains("trust policy"), "{message}");

    let mut command = keyless(&server, folder.path());
    command.env("AWS_PROFILE", "role").env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9");
    let message = ended(&mut command).bad(2);
    assert!(message.contains("the request for the role got no response"), "{message}");
    assert!(message.contains("hint: check the network"), "{message}");

    let mut command = keyless(&server, folder.path());
    command.env("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod").env("AWS_WEB_IDENTITY_TOKEN_FILE", "no");
    let message = ended(&mut command).bad(2);
    assert!(message.contains("the token file cannot be read (No such file"), "{message}");

    let refusing = Metadata::start(Vec::new());
    let mut command = keyless(&server, folder.path());
    command.env("AWS_PROFILE", "role").env("AWS_ENDPOINT_URL_STS", refusing.url());
    let message = ended(&mut command).bad(2);
    assert!(message.contains("was refused (HTTP 404)"), "{message}");
}

/// SHA-1 of `corp` and of the start URL: names of cached tokens.
const SESSION_TOKEN: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const START_URL_TOKEN: &str = ".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";
const SSO: &str = "[profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = reader\n\
    [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n\
    [profile old]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n\
    sso_account_id = 111122223333\nsso_role_name = reader\n\
    [profile role]\nrole_arn = arn:aws:iam::1:role/reader\nsource_profile = sso\n";

/// Cached SSO token that expires at this time.
fn sso_token(token: &str, expires: &str) -> String {
    format!(
        "{{\"accessToken\":\"{token}\",\"expiresAt\":\"{expires}\",\"refreshToken\":\"a-refresh-token\",\
         \"clientId\":\"a-client\",\"clientSecret\":\"a-client-secret\",\
         \"registrationExpiresAt\":\"{expires}\"}}"
    )
}

/// Emulator of the SSO portal, and of SSO OIDC with this token.
fn sso_portal(renewed: &str) -> Metadata {
    let keys = format!(
        "{{\"roleCredentials\":{{\"accessKeyId\":\"{KEY}\",\"secretAccessKey\":\"{SECRET}\",\
         \"sessionToken\":\"of-sso\",\"expiration\":32472144000000}}}}"
    );
    Metadata::start(vec![
        ("GET /federation/credentials", keys),
        ("POST /token", renewed.to_owned()),
    ])
}

/// Returns `etl` with the profile, and the emulator as every endpoint of SSO.
fn through_sso(server: &Server, folder: &Path, profile: &str, portal: &Metadata) -> Command {
    let mut command = keyless(server, folder);
    command.env("AWS_PROFILE", profile).env("AWS_ENDPOINT_URL_SSO", portal.url());
    command.env("AWS_ENDPOINT_URL_SSO_OIDC", portal.url());
    command
}

#[test]
fn a_cached_sso_token_gives_keys() {
    let (server, folder) = small();
    put(folder.path(), ".aws/config", SSO);
    let portal = sso_portal("{}");
    for (profile, file) in [("sso", SESSION_TOKEN), ("old", START_URL_TOKEN)] {
        put(folder.path(), file, sso_token(&format!("token-of-{profile}"), "2999-01-01T00:00:00Z"));
        loads(&mut through_sso(&server, folder.path(), profile, &portal), folder.path());
        assert!(
            portal.requests().contains(&format!("token-of-{profile}")),
            "{}",
            portal.requests()
        );
    }
    assert!(portal.requests().contains("account_id=111122223333"), "{}", portal.requests());

    let sts = Metadata::start(vec![("Action=AssumeRole&", as_xml("AssumeRole"))]);
    let mut command = through_sso(&server, folder.path(), "role", &portal);
    loads(command.env("AWS_ENDPOINT_URL_STS", sts.url()), folder.path());
    assert!(sts.requests().contains("role%2Freader"), "{}", sts.requests());
}

#[test]
fn an_expired_sso_token_is_refreshed() {
    let (server, folder) = small();
    put(folder.path(), ".aws/config", SSO);
    let expired = sso_token("an-old-token", "2999-01-01T00:00:00Z");
    let expired = expired.replacen("2999", "2000", 1);
    put(folder.path(), SESSION_TOKEN, expired);
    let renewed = "{\"accessToken\":\"a-new-token\",\"expiresIn\":3600,\"tokenType\":\"Bearer\"}";
    let portal = sso_portal(renewed);
    loads(&mut through_sso(&server, folder.path(), "sso", &portal), folder.path());
    let requests = portal.requests();
    assert!(requests.contains("a-refresh-token") && requests.contains("a-new-token"), "{requests}");
    let cached = std::fs::read_to_string(folder.path().join(SESSION_TOKEN)).unwrap();
    assert!(cached.contains("a-new-token"), "{cached}");
}

#[test]
fn an_invalid_sso_session_names_the_command_that_renews_it() {
    let (server, folder) = small();
    put(folder.path(), ".aws/config", SSO);
    let portal = sso_portal("{}");
    let refused = |profile: &str, portal: &Metadata| {
        let mut command = through_sso(&server, folder.path(), profile, portal);
        let message = ended(command.arg("-vv")).bad(2);
        for secret in ["a-token", "a-refresh-token", "a-client-secret"] {
            assert!(!message.contains(secret), "{message}");
        }
        message
    };
    let hint = "hint: run `aws sso login --profile sso`";
    let missing = refused("sso", &portal);
    assert!(missing.contains("the SSO session of the profile `sso` is not valid"), "{missing}");
    assert!(missing.contains(hint), "{missing}");
    let missing = refused("old", &portal);
    assert!(missing.contains("hint: run `aws sso login --profile old`"), "{missing}");

    put(folder.path(), SESSION_TOKEN, sso_token("a-token", "2000-01-01T00:00:00Z"));
    for profile in ["sso", "role"] {
        let expired = refused(profile, &portal);
        assert!(expired.contains("has expired") && expired.contains(hint), "{expired}");
    }
    assert_eq!(portal.requests(), "", "an expired token is not sent");

    put(folder.path(), SESSION_TOKEN, sso_token("a-token", "2999-01-01T00:00:00Z"));
    let body = |code| format!("{{\"__type\":\"{code}\",\"message\":\"in other words\"}}");
    let rejecting = Metadata::refusing("401 Unauthorized", &body("UnauthorizedException"));
    let rejected = refused("sso", &rejecting);
    assert!(rejected.contains("(UnauthorizedException, HTTP 401): in other words"), "{rejected}");
    assert!(rejected.contains(hint), "{rejected}");
    let forbidding = Metadata::refusing("403 Forbidden", &body("ForbiddenException"));
    let forbidden = refused("sso", &forbidding);
    assert!(forbidden.contains("(ForbiddenException, HTTP 403)"), "{forbidden}");
    assert!(forbidden.contains("hint: check `sso_account_id` and `sso_role_name`"), "{forbidden}");
}

#[test]
fn a_container_and_an_instance_give_keys() {
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
    assert!(machine.requests().to_lowercase().contains("authorization: its-token"));

    put(folder.path(), "its-token", "from-a-file");
    let mut command = keyless(&server, folder.path());
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
    loads(command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "its-token"), folder.path());
    assert!(machine.requests().to_lowercase().contains("authorization: from-a-file"));

    let mut command = keyless(&server, folder.path());
    command.env_remove("AWS_EC2_METADATA_DISABLED");
    loads(command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url()), folder.path());
}

#[test]
fn every_wrong_key_has_its_own_message() {
    let (server, folder) = small();
    let wrong = |key: &str, secret: &str| {
        let mut command = signed(&server, folder.path(), ETL);
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
        ended(&mut command).bad(2)
    };
    let mut verbose = signed(&server, folder.path(), ETL);
    verbose.arg("-vv");
    let output = ended(&mut verbose);
    assert!(output.code == Some(0) && output.err.contains("INFO stage events"), "{output:#?}");
    assert!(!output.err.contains("connection"), "messages of a library: {output:#?}");
    let message = wrong("NOTTHEKEY", SECRET);
    assert!(
        message.contains("does not know this access key (InvalidAccessKeyId, HTTP 403)"),
        "{message}"
    );
    let message = wrong(KEY, "another+secret");
    assert!(
        message.contains("the signature is wrong (SignatureDoesNotMatch, HTTP 403)"),
        "{message}"
    );
    assert!(message.contains("hint: check AWS_SECRET_ACCESS_KEY"), "{message}");
    let message = wrong(KEY, "another+secret\nX: y");
    assert!(
        message.contains("`AWS_SECRET_ACCESS_KEY` of the environment holds a space"),
        "{message}"
    );

    let mut command = keyless(&server, folder.path());
    let message = ended(command.env("AWS_ACCESS_KEY_ID", KEY)).bad(2);
    assert!(
        message.contains("has `AWS_ACCESS_KEY_ID` and no `AWS_SECRET_ACCESS_KEY`"),
        "{message}"
    );
    let message = ended(&mut keyless(&server, folder.path())).bad(2);
    assert!(message.contains("no AWS credentials found; tried the environment"), "{message}");
    assert!(message.contains("AWS_EC2_METADATA_DISABLED"), "{message}");
    assert!(message.contains("hint: set AWS_ACCESS_KEY_ID"), "{message}");

    *server.state.expired_token.lock().unwrap() = Some("old".into());
    let mut command = signed(&server, folder.path(), ETL);
    let message = ended(command.env("AWS_SESSION_TOKEN", "old")).bad(2);
    assert!(message.contains("the credentials have expired (ExpiredToken, HTTP 400)"), "{message}");
}

#[test]
fn a_public_bucket_needs_no_key_and_requester_pays_a_flag() {
    let (server, folder) = small();
    let anonymous = |more: &[&str]| ended(keyless(&server, folder.path()).args(more));
    assert!(anonymous(&["--no-sign-request"]).bad(2).contains("access is denied (AccessDenied"));
    server.state.is_public.store(true, Ordering::Relaxed);
    anonymous(&["--no-sign-request"]).good();
    assert_eq!(plays(folder.path()), "2");

    server.state.is_public.store(false, Ordering::Relaxed);
    server.state.requester_pays.store(true, Ordering::Relaxed);
    let message = run(&server, folder.path(), &ETL).bad(2);
    assert!(
        message.contains("access is denied") && message.contains("`--request-payer`"),
        "{message}"
    );
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
