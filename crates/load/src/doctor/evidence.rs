//! Evidence file: what a warehouse answered, in a form that can be sent to others. Nothing in it
//! names an account, a person, a bucket or a path ([`Anonymizer`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Status;
use super::plans::{Explained, StatementPlan};
use super::probes::{self, CopyEvidence, CopyTemplates, Node, ProbeResult, Probed};
use sparkify_config::{Anonymizer, Settings};
use sparkify_warehouse::Warehouse;

/// Version of the format of the file.
const FORMAT: u32 = 1;

/// The `[evidence]` section of the file of probes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvidenceTemplates {
    setting: String,
    settings: Vec<String>,
    copy: CopyTemplates,
}

/// Content of the file. The JSON keys are documented in docs/reference/json.md.
#[derive(Debug, Serialize)]
struct Evidence<'a> {
    format: u32,
    sparkify: &'static str,
    server: &'a str,
    channel: &'static str,
    deployment: Option<&'static str>,
    settings: BTreeMap<String, String>,
    probes: Vec<ProbeEvidence<'a>>,
    copy: CopyEvidence,
    plans: Vec<PlanEvidence<'a>>,
    errors: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ProbeEvidence<'a> {
    name: &'a str,
    as_documented: bool,
    expected: &'a str,
    leader: Option<&'a str>,
    compute: Option<&'a str>,
}

/// A plan without its statement, which is that of the file of this version.
#[derive(Debug, Serialize)]
struct PlanEvidence<'a> {
    step: &'a str,
    findings: &'a [String],
    plan: &'a [String],
}

/// Asks what only the file needs, and returns its content without private parts.
pub(super) fn gather(
    settings: &Settings,
    warehouse: &mut dyn Warehouse,
    version: &str,
    probed: &Probed,
    explained: &Explained,
) -> Json {
    let failed = explained.findings.iter().filter(|finding| finding.status == Status::Failed);
    let failed = probed.errors.iter().chain(failed);
    let mut errors: Vec<String> =
        failed.map(|finding| format!("{}: {}", finding.check, finding.message)).collect();
    let mut copy = CopyEvidence::default();
    let mut of_session = BTreeMap::new();
    match probes::evidence_templates(warehouse) {
        Ok(Some(templates)) => {
            of_session = session_settings(warehouse, &templates);
            if let Err(error) = probes::copies(warehouse, &templates.copy, &mut copy) {
                errors.push(error.to_string());
            }
        }
        Ok(None) => {}
        Err(message) => errors.push(message),
    }
    let evidence = Evidence {
        format: FORMAT,
        sparkify: env!("CARGO_PKG_VERSION"),
        server: version,
        channel: settings.warehouse.channel(),
        deployment: settings.warehouse.deployment(),
        settings: of_session,
        probes: probed.results.iter().map(probe_evidence).collect(),
        copy,
        plans: explained.plans.iter().map(plan_evidence).collect(),
        errors,
    };
    let anonymizer = Anonymizer::new(settings);
    clean(serde_json::json!(evidence), &anonymizer)
}

/// Returns the settings of the session. One that the server does not know is an error message.
fn session_settings(
    warehouse: &mut dyn Warehouse,
    templates: &EvidenceTemplates,
) -> BTreeMap<String, String> {
    let value = |name: &String| {
        let statement = templates.setting.replace(":name", name);
        let shown = warehouse.query(&statement, &[], 1);
        (
            name.clone(),
            shown.map_or_else(|error| error.to_string(), |rows| super::first_cell(&rows)),
        )
    };
    templates.settings.iter().map(value).collect()
}

fn probe_evidence(result: &ProbeResult) -> ProbeEvidence<'_> {
    let of = |node: Node| {
        let found = result.results.iter().find(|(on, _)| *on == node);
        found.map(|(_, text)| text.as_str())
    };
    ProbeEvidence {
        name: &result.name,
        as_documented: result.is_as_documented,
        expected: &result.expected,
        leader: of(Node::Leader),
        compute: of(Node::Compute),
    }
}

fn plan_evidence(plan: &StatementPlan) -> PlanEvidence<'_> {
    PlanEvidence { step: &plan.step, findings: &plan.findings, plan: &plan.plan }
}

/// Removes the private parts of every text.
fn clean(value: Json, anonymizer: &Anonymizer) -> Json {
    match value {
        Json::String(text) => Json::String(anonymizer.clean(&text)),
        Json::Array(items) => items.into_iter().map(|item| clean(item, anonymizer)).collect(),
        Json::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, clean(value, anonymizer))).collect()
        }
        other => other,
    }
}
