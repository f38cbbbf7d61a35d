//! Checks for `doctor`: AWS identity, clock skew, and whether Redshift may assume the role and the
//! role reads the prefixes. Nothing is changed.

use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::cloud::{Caller, Cloud};
use super::error::sdk_error;
use super::role::{self, Role};
use super::{ClusterError, Watch, policy};
use sparkify_config::ClusterSettings;

/// Clock skew in seconds that is reported: half of the five minutes after which AWS refuses
/// requests.
const MAX_SKEW: i64 = 150;

/// Result of one check.
#[derive(Debug, Clone)]
pub struct ProbeResult {
    /// Name of the check.
    pub what: &'static str,
    /// Finding, or the reason of the failure.
    pub outcome: Result<String, String>,
    /// Next action, or additional information.
    pub hint: Option<String>,
}

/// Results of all checks.
#[derive(Debug, Clone, Default)]
pub struct ProbeReport(pub Vec<ProbeResult>);

impl ProbeReport {
    pub(super) fn of_error(error: &ClusterError) -> Self {
        Self(vec![failed("credentials", error)])
    }
}

fn failed(what: &'static str, error: &ClusterError) -> ProbeResult {
    ProbeResult { what, outcome: Err(error.to_string()), hint: Some(error.hint()) }
}

fn passed(what: &'static str, finding: impl Into<String>) -> ProbeResult {
    ProbeResult { what, outcome: Ok(finding.into()), hint: None }
}

pub(super) async fn probe(
    cloud: &Cloud,
    settings: &ClusterSettings,
    _watch: &Watch,
) -> ProbeReport {
    let mut probe = ProbeReport(vec![clock(cloud).await]);
    let caller = match cloud.caller().await {
        Ok(caller) => caller,
        Err(error) => {
            probe.0.push(failed("credentials", &error));
            return probe;
        }
    };
    let identity = format!("{} in {}", caller.arn, cloud.region);
    probe.0.push(passed("credentials", identity));
    // Without a configured role, there may be no cluster either, so nothing is checked.
    if let Some(arn) = &settings.role_arn {
        let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
        role_lines(cloud, settings, &caller, &name, &mut probe).await;
    }
    probe
}

async fn clock(cloud: &Cloud) -> ProbeResult {
    let what = "clock";
    let date = match cloud.signed.date().await {
        Ok(date) => date,
        Err(error) => return failed(what, &error),
    };
    let Ok(theirs) = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822) else {
        return ProbeResult {
            what,
            outcome: Ok("the response contains no date".into()),
            hint: None,
        };
    };
    let skew = (OffsetDateTime::now_utc() - theirs).whole_seconds();
    if skew.abs() <= MAX_SKEW {
        return passed(what, format!("within {} s of AWS", skew.abs().max(1)));
    }
    ProbeResult {
        what,
        outcome: Err(format!("this machine's clock differs from AWS by {skew} s")),
        hint: Some(
            "synchronise the clock (NTP): AWS refuses requests with more than five minutes of skew"
                .into(),
        ),
    }
}

async fn role_lines(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    name: &str,
    probe: &mut ProbeReport,
) {
    let found = match role::find(cloud, name).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            probe.0.push(ProbeResult {
                what: "role",
                outcome: Err(format!("the role `{name}` does not exist")),
                hint: Some("run `sparkify cluster up --write-config` to create one and write its ARN to dwh.cfg".into()),
            });
            return;
        }
        Err(error) => return probe.0.push(failed("role", &error)),
    };
    let services = policy::services(settings);
    if policy::trusts(&found.trust, &services) {
        probe.0.push(passed("role", format!("Redshift may assume `{name}`")));
    } else {
        probe.0.push(ProbeResult {
            what: "role",
            outcome: Err(format!("Redshift may not assume the role `{name}`")),
            hint: Some(format!(
                "allow `sts:AssumeRole` for {} in its trust policy",
                services.join(" and ")
            )),
        });
    }
    let is_managed = found.tags.project().is_some();
    // An identity that only loads may not read the role's policies.
    if is_managed
        && let Err(error @ ClusterError::Cannot { .. }) =
            role::check_unchanged(cloud, settings, &found).await
    {
        probe.0.push(failed("role", &error));
    }
    if !settings.prefixes.is_empty() {
        probe.0.push(reads(cloud, settings, caller, &found, is_managed).await);
    }
}

/// Checks that the role reads every prefix, with the policy simulator. If the simulator is not
/// allowed and sparkify manages the role, compares its policy instead.
async fn reads(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    role: &Role,
    is_managed: bool,
) -> ProbeResult {
    let what = "role's rights";
    let partition = &caller.partition;
    for prefix in &settings.prefixes {
        let object =
            if prefix.is_object { prefix.key.clone() } else { format!("{}/x", prefix.key) };
        let resource =
            format!("arn:{partition}:s3:::{}/{}", prefix.bucket, object.trim_start_matches('/'));
        let simulate = cloud.iam.simulate_principal_policy().policy_source_arn(&role.arn);
        let simulated = simulate.action_names("s3:GetObject").resource_arns(&resource).send().await;
        match simulated.map_err(|error| sdk_error("simulate the role's permissions", error)) {
            Ok(answer) => {
                let allowed = |decision: &PolicyEvaluationDecisionType| {
                    *decision == PolicyEvaluationDecisionType::Allowed
                };
                if !answer.evaluation_results().iter().all(|r| allowed(r.eval_decision())) {
                    return ProbeResult {
                        what,
                        outcome: Err(format!("the role `{}` may not read `{resource}`", role.name)),
                        hint: Some(
                            "grant it s3:GetObject on this resource, and s3:ListBucket on the bucket".into(),
                        ),
                    };
                }
            }
            Err(error) if is_managed => {
                return compare_policy(cloud, settings, caller, role, &error).await;
            }
            Err(error) => {
                let hint = format!("{error}; grant `iam:SimulatePrincipalPolicy` to check this");
                return ProbeResult { what, outcome: Ok("not checked".into()), hint: Some(hint) };
            }
        }
    }
    passed(what, format!("reads {}", role::prefix_list(settings)))
}

async fn compare_policy(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    role: &Role,
    why: &ClusterError,
) -> ProbeResult {
    let what = "role's rights";
    let wanted = policy::access(&settings.prefixes, &caller.partition);
    match role::inline(cloud, &role.name).await {
        Ok(Some(found)) if found == wanted => {
            passed(what, format!("reads {}", role::prefix_list(settings)))
        }
        Ok(_) => ProbeResult {
            what,
            outcome: Err(format!(
                "the policy of the role `{}` does not match the prefixes",
                role.name
            )),
            hint: Some("run `sparkify cluster up` to update it".into()),
        },
        Err(error) => {
            ProbeResult { what, outcome: Err(error.to_string()), hint: Some(why.to_string()) }
        }
    }
}
