//! The course walk-through on emulators of AWS, S3 and Redshift: with the fixture in the bucket of
//! the course, and with the course data where they are available.

use std::path::Path;

use aws_emulator::Behavior;
use redshift_emulator::copy::s3::{Permission, Role, Store};
use redshift_emulator::{DataApiOptions, Emulator, Options, User};

use super::run::{Place, check};
use crate::data::{DataSet, FIXTURE, on_each_data_set};
use crate::support::{JSON_PATHS, put, walk};

const BUCKET: &str = "udacity-dend";
const ROLE: &str = "arn:aws:iam::123456789012:role/sparkify/dwhRole";
const SECRET_ARN: &str =
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:redshift!dwhcluster-dwhuser-AbCdEf";
/// Password in the `dwh.cfg` of the walk-through.
const PASSWORD: &str = "Passw0rd";

/// The bucket of the course.
fn bucket(data: &Path) -> s3_emulator::Server {
    let bucket = s3_emulator::Server::start();
    // The account of the walk-through, which also reads this bucket.
    bucket.state.add_key(aws_emulator::KEY, aws_emulator::SECRET);
    bucket.put_in(BUCKET, "log_json_path.json", JSON_PATHS);
    for part in ["song_data", "log_data"] {
        for file in walk(&data.join(part)) {
            let key = file.strip_prefix(data).unwrap().to_str().unwrap();
            bucket.put_in(BUCKET, key, std::fs::read(&file).unwrap());
        }
    }
    bucket
}

/// The warehouse that `cluster up` creates.
fn warehouse(bucket: &s3_emulator::Server) -> Emulator {
    let mut store = Store::new(&bucket.endpoint(), aws_emulator::REGION);
    store.roles.push(Role {
        arn: ROLE.into(),
        key: s3_emulator::KEY.into(),
        secret: s3_emulator::SECRET.into(),
        permissions: vec![Permission::all(&format!("s3://{BUCKET}/"))],
    });
    let data_api = DataApiOptions {
        access_key: aws_emulator::KEY.into(),
        secret_key: aws_emulator::SECRET.into(),
        cluster: "dwhcluster".into(),
        secret_arn: SECRET_ARN.into(),
        ..DataApiOptions::default()
    };
    let users = vec![User::new("dwhuser", PASSWORD)];
    let store = Some(store);
    Emulator::start(Options {
        database: "dwh".into(),
        users,
        store,
        data_api,
        ..Options::default()
    })
    .unwrap()
}

on_each_data_set!(the_course_walk_through_prints_what_it_shows);

fn the_course_walk_through_prints_what_it_shows(data: &DataSet) {
    let bucket = bucket(&data.folder());
    let warehouse = warehouse(&bucket);
    let aws = aws_emulator::Server::start(Behavior::default()).unwrap();
    let mut place = Place::new();
    let is_fixture = data.name == FIXTURE.name;
    (place.has_course_data, place.loose, place.short_waits) = (!is_fixture, is_fixture, true);
    put(&place.work(), "ca.pem", warehouse.ca_pem());
    for (name, value) in [
        ("AWS_ENDPOINT_URL", aws.url().to_owned()),
        ("AWS_ENDPOINT_URL_S3", bucket.endpoint()),
        ("AWS_ENDPOINT_URL_REDSHIFT_DATA", warehouse.data_api_endpoint()),
        ("AWS_ACCESS_KEY_ID", aws_emulator::KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", aws_emulator::SECRET.to_owned()),
        ("SPARKIFY_ADDRESS_URL", format!("{}/checkip", aws.url())),
        ("SSL_CERT_FILE", place.work().join("ca.pem").display().to_string()),
    ] {
        place.environment.push((name, value.into()));
    }
    check("docs/course.md", &place);
    assert_eq!(aws.account().resources(), [""; 0], "the last step deletes everything");
}
