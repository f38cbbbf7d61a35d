//! Could a load work? Who asks, whether the clocks agree, whether Redshift may take on the role, whether the role reads the prefixes. Nothing is changed.

use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::cloud::{Caller, Cloud};
use super::error::refusal;
use super::role::{self, Role};
use super::{ClusterError, Watch, policy};
use sparkify_config::ClusterSettings;

/// AWS refuses requests whose time differs by more than five minutes; half of that is worth a word.
const SKEW: i64 = 150;

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Probed {
    /// What.
    pub what: &'static str,
    /// What was found, or why it does not work.
    pub outcome: Result<String, String>,
    /// What to do, or what to know.
    pub hint: Option<String>,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Default)]
pub struct Probe(pub Vec<Probed>);

impl Probe {
    pub(super) fn broken(error: &ClusterError) -> Self {
        Self(vec![failed("credentials", error)])
    }
}

fn failed(what: &'static str, error: &ClusterError) -> Probed {
    Probed { what, outcome: Err(error.to_string()), hint: Some(error.hint()) }
}

fn fine(what: &'static str, said: impl Into<String>) -> Probed {
    Probed { what, outcome: Ok(said.into()), hint: None }
}

pub(super) async fn probe(cloud: &Cloud, settings: &ClusterSettings, _watch: &Watch) -> Probe {
    let mut probe = Probe(vec![clock(cloud).await]);
    let caller = match cloud.caller().await {
        Ok(caller) => caller,
        Err(error) => {
            probe.0.push(failed("credentials", &error));
            return probe;
        }
    };
    let who = format!("{} in {}", caller.arn, cloud.region);
    probe.0.push(fine("credentials", who));
    let ours = role::our_arn(&caller, &settings.role_name);
    // A role is looked at when one is configured; without one there may be no cluster either.
    if let Some(arn) = &settings.role_arn {
        let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
        role_lines(cloud, settings, &caller, &name, *arn == ours, &mut probe).await;
    }
    probe
}

async fn clock(cloud: &Cloud) -> Probed {
    let what = "clock";
    let date = match cloud.signed.date().await {
        Ok(date) => date,
        Err(error) => return failed(what, &error),
    };
    let Ok(theirs) = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822) else {
        return Probed { what, outcome: Ok("the server told no time".into()), hint: None };
    };
    let skew = (OffsetDateTime::now_utc() - theirs).whole_seconds();
    if skew.abs() <= SKEW {
        return fine(what, format!("within {} s of AWS", skew.abs().max(1)));
    }
    Probed {
        what,
        outcome: Err(format!("this machine's clock differs from that of AWS by {skew} s")),
        hint: Some(
            "set it by a time server: AWS refuses requests that are five minutes off".into(),
        ),
    }
}

async fn role_lines(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    name: &str,
    is_ours: bool,
    probe: &mut Probe,
) {
    let found = match role::find(cloud, name).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            probe.0.push(Probed {
                what: "role",
                outcome: Err(format!("there is no role `{name}`")),
                hint: Some("`sparkify cluster up --write-config` makes one and writes its ARN into dwh.cfg".into()),
            });
            return;
        }
        Err(error) => return probe.0.push(failed("role", &error)),
    };
    let services = policy::services(settings);
    if policy::trusts(&found.trust, &services) {
        probe.0.push(fine("role", format!("`{name}` can be taken on by Redshift")));
    } else {
        probe.0.push(Probed {
            what: "role",
            outcome: Err(format!("Redshift may not take on the role `{name}`")),
            hint: Some(format!(
                "its trust policy needs `sts:AssumeRole` for {}",
                services.join(" and ")
            )),
        });
    }
    if !settings.prefixes.is_empty() {
        probe.0.push(reads(cloud, settings, caller, &found, is_ours).await);
    }
}

/// Whether the role reads every prefix: by the simulator, or where that is not allowed, by the policy that we know.
async fn reads(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    role: &Role,
    is_ours: bool,
) -> Probed {
    let what = "role's rights";
    let partition = &caller.partition;
    for prefix in &settings.prefixes {
        let object =
            if prefix.is_object { prefix.key.clone() } else { format!("{}/x", prefix.key) };
        let resource =
            format!("arn:{partition}:s3:::{}/{}", prefix.bucket, object.trim_start_matches('/'));
        let simulate = cloud.iam.simulate_principal_policy().policy_source_arn(&role.arn);
        let simulated = simulate.action_names("s3:GetObject").resource_arns(&resource).send().await;
        match simulated.map_err(|error| refusal("simulate the role's rights", error)) {
            Ok(answer) => {
                let allowed = |decision: &PolicyEvaluationDecisionType| {
                    *decision == PolicyEvaluationDecisionType::Allowed
                };
                if !answer.evaluation_results().iter().all(|r| allowed(r.eval_decision())) {
                    return Probed {
                        what,
                        outcome: Err(format!("the role `{}` may not read `{resource}`", role.name)),
                        hint: Some(
                            "grant it s3:GetObject there, and s3:ListBucket on the bucket".into(),
                        ),
                    };
                }
            }
            Err(error) if is_ours => return known(cloud, settings, caller, role, &error).await,
            Err(error) => {
                let hint =
                    format!("{error}; `iam:SimulatePrincipalPolicy` would let this be checked");
                return Probed {
                    what,
                    outcome: Ok("could not be checked".into()),
                    hint: Some(hint),
                };
            }
        }
    }
    fine(what, format!("reads {}", role::places(settings)))
}

async fn known(
    cloud: &Cloud,
    settings: &ClusterSettings,
    caller: &Caller,
    role: &Role,
    why: &ClusterError,
) -> Probed {
    let what = "role's rights";
    let wanted = policy::access(&settings.prefixes, &caller.partition);
    match role::inline(cloud, &role.name).await {
        Ok(Some(found)) if found == wanted => {
            fine(what, format!("reads {}", role::places(settings)))
        }
        Ok(_) => Probed {
            what,
            outcome: Err(format!(
                "the policy of the role `{}` is not the one for these prefixes",
                role.name
            )),
            hint: Some("`sparkify cluster up` puts it right".into()),
        },
        Err(error) => Probed { what, outcome: Err(error.to_string()), hint: Some(why.to_string()) },
    }
}
