//! Policies of the role: only Redshift may assume it, and it reads exactly the prefixes that a load
//! reads.

use serde_json::{Value, json};

use sparkify_config::{ClusterSettings, Form, Prefix};

/// Service principals of Redshift.
const PROVISIONED: &str = "redshift.amazonaws.com";
const SERVERLESS: &str = "redshift-serverless.amazonaws.com";

/// Returns the services that must be able to assume the role.
pub(super) fn services(settings: &ClusterSettings) -> Vec<&'static str> {
    match settings.form {
        Form::Provisioned { .. } => vec![PROVISIONED],
        Form::Serverless { .. } => vec![PROVISIONED, SERVERLESS],
    }
}

/// Returns the trust policy of the role.
pub(super) fn trust(settings: &ClusterSettings) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": services(settings) },
            "Action": "sts:AssumeRole",
        }],
    })
}

/// Returns the access policy of the role: list and get objects below each prefix, and put and
/// delete objects below the staging prefix only.
pub(super) fn access(prefixes: &[Prefix], partition: &str) -> Value {
    let mut statements = Vec::new();
    for prefix in prefixes {
        let Prefix { bucket, key, is_object, write } = prefix;
        let bucket = format!("arn:{partition}:s3:::{bucket}");
        let below = match (key.as_str(), is_object) {
            ("", _) => "*".to_owned(),
            (key, true) => key.to_owned(),
            (key, false) => format!("{key}/*"),
        };
        let listed = match (key.as_str(), is_object) {
            ("", _) => vec!["*".to_owned()],
            (key, true) => vec![key.to_owned()],
            (key, false) => vec![key.to_owned(), format!("{key}/*")],
        };
        statements.push(json!({
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket,
            "Condition": { "StringLike": { "s3:prefix": listed } },
        }));
        let objects = if *write {
            json!(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
        } else {
            json!(["s3:GetObject"])
        };
        statements.push(json!({
            "Effect": "Allow",
            "Action": objects,
            "Resource": format!("{bucket}/{below}"),
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Returns true if a trust policy allows each of these services to assume the role.
pub(super) fn trusts(policy: &Value, services: &[&str]) -> bool {
    let statements = list(&policy["Statement"]);
    services.iter().all(|service| {
        statements.iter().any(|statement| {
            statement["Effect"] == "Allow"
                && list(&statement["Action"]).iter().any(|action| *action == "sts:AssumeRole")
                && list(&statement["Principal"]["Service"]).iter().any(|found| *found == *service)
        })
    })
}

/// Returns true if a trust policy contains nothing but what sparkify writes: Redshift may assume
/// the role, perhaps under conditions.
pub(super) fn is_own_trust(policy: &Value) -> bool {
    let known = ["Sid", "Effect", "Principal", "Action", "Condition"];
    list(&policy["Statement"]).into_iter().all(|statement| {
        let principal = statement["Principal"].as_object();
        has_only(statement, &known)
            && statement["Effect"] == "Allow"
            && list(&statement["Action"]).iter().all(|action| *action == "sts:AssumeRole")
            && principal.is_some_and(|principal| principal.keys().eq(["Service"]))
            && list(&statement["Principal"]["Service"])
                .iter()
                .all(|service| *service == PROVISIONED || *service == SERVERLESS)
    })
}

/// Returns true if an access policy contains nothing but statements of the form that [`access`]
/// writes, for any prefixes.
pub(super) fn is_own_access(policy: &Value) -> bool {
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    let objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
    list(&policy["Statement"]).into_iter().all(|statement| {
        let actions = list(&statement["Action"]);
        let resource = statement["Resource"].as_str().unwrap_or_default();
        let (bucket, key) = resource.split_once('/').unwrap_or((resource, ""));
        let is_listing = actions.iter().all(|action| *action == "s3:ListBucket") && key.is_empty();
        let reads_objects = !key.is_empty()
            && actions.iter().all(|action| objects.iter().any(|object| *action == *object));
        has_only(statement, &known)
            && statement["Effect"] == "Allow"
            && bucket.split(':').nth(2) == Some("s3")
            && !bucket.contains(['*', '?'])
            && (is_listing || reads_objects)
    })
}

/// Returns true if the object has no other fields than these.
fn has_only(object: &Value, fields: &[&str]) -> bool {
    let keys = object.as_object().map(|object| object.keys());
    keys.is_some_and(|mut keys| keys.all(|key| fields.contains(&key.as_str())))
}

/// Returns the elements of a policy field, which IAM accepts as one value or as an array.
pub(super) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_reads_its_prefixes_and_nothing_else() {
        let prefix = |key: &str, is_object, write| Prefix {
            bucket: "b".into(),
            key: key.into(),
            is_object,
            write,
        };
        let policy = access(
            &[
                prefix("song_data", false, false),
                prefix("p.json", true, false),
                prefix("st", false, true),
            ],
            "aws",
        );
        let text = policy.to_string();
        assert_eq!(policy["Statement"][1]["Resource"], "arn:aws:s3:::b/song_data/*");
        assert_eq!(policy["Statement"][3]["Resource"], "arn:aws:s3:::b/p.json");
        assert_eq!(text.matches("PutObject").count(), 1);
        assert!(!text.contains("\"*\"") && !text.contains("s3:*"), "{text}");
    }

    #[test]
    fn foreign_statements_are_recognised() {
        let prefix =
            Prefix { bucket: "b".into(), key: String::new(), is_object: false, write: true };
        assert!(is_own_access(&access(&[prefix], "aws-cn")));
        let with = |statement: Value| json!({ "Statement": [statement] });
        let trust = |principal: Value| {
            with(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}))
        };
        assert!(is_own_trust(&trust(json!({"Service": [SERVERLESS, PROVISIONED]}))));
        for foreign in [
            json!("*"),
            json!({"AWS": "*"}),
            json!({"Service": PROVISIONED, "AWS": "arn:aws:iam::210987654321:root"}),
            json!({"Service": [PROVISIONED, "ec2.amazonaws.com"]}),
        ] {
            assert!(!is_own_trust(&trust(foreign.clone())), "{foreign}");
        }
        let tagging = json!({"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": PROVISIONED}});
        assert!(!is_own_trust(&with(tagging)));
        for (action, resource) in [
            ("s3:*", "arn:aws:s3:::b/x"),
            ("s3:GetObject", "arn:aws:s3:::*/x"),
            ("s3:GetObject", "*"),
            ("s3:ListBucket", "arn:aws:s3:::*"),
            ("iam:PassRole", "arn:aws:iam::123456789012:role/x"),
        ] {
            let foreign = json!({"Effect": "Allow", "Action": action, "Resource": resource});
            assert!(!is_own_access(&with(foreign)), "{action} {resource}");
        }
        let excluding =
            json!({"Effect": "Allow", "NotAction": "s3:x", "Resource": "arn:aws:s3:::b"});
        assert!(!is_own_access(&with(excluding)));
    }

    #[test]
    fn a_trust_policy_is_read_in_any_of_its_forms() {
        let one = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": PROVISIONED}}});
        assert!(trusts(&one, &[PROVISIONED]));
        assert!(!trusts(&one, &[PROVISIONED, SERVERLESS]));
        let lambda = json!({"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": ["lambda.amazonaws.com"]}}]});
        assert!(!trusts(&lambda, &[PROVISIONED]));
    }
}
