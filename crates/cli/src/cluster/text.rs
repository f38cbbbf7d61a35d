//! Text output of `sparkify cluster`.

use crate::terminal;
use std::fmt::Write;

use sparkify_cluster::cost::Estimate;
use sparkify_cluster::{Down, Leftover, Plan, Reaped, Status};

fn line(title: &str, value: &str) -> String {
    format!("{title:<14}{value}\n")
}

pub(super) fn plan(plan: &Plan) -> String {
    let rows: Vec<Vec<String>> = plan
        .steps
        .iter()
        .map(|step| vec![step.action.into(), step.what.clone(), step.detail.clone()])
        .collect();
    let mut text = terminal::table(&["step", "resource", "details"], &rows, &[]);
    text.push('\n');
    text.push_str(&line("region", &plan.region));
    text.push_str(&line("account", &plan.account));
    text.push_str(&line("identity", &plan.caller));
    text.push_str(&cost(&plan.cost));
    for difference in &plan.differences {
        text.push_str(&line("difference", difference));
    }
    text.push_str("dry run: nothing was changed; `--output json` includes the role's policies\n");
    text
}

pub(super) fn status(status: &Status) -> String {
    if status.parts.is_empty() {
        let other = if status.form == "provisioned" {
            "; for a serverless workgroup, pass `--serverless`"
        } else {
            ""
        };
        return format!(
            "no {} warehouse `{}` in {}{other}\n",
            status.form, status.name, status.region
        );
    }
    let creator = |ours: bool| if ours { "created by sparkify" } else { "not created by sparkify" };
    let rows: Vec<Vec<String>> = status
        .parts
        .iter()
        .map(|part| {
            let creator = creator(part.is_managed).into();
            vec![part.what.clone(), part.name.clone(), part.state.clone(), creator]
        })
        .collect();
    let mut text = terminal::table(&["resource", "name", "state", ""], &rows, &[]);
    text.push('\n');
    let endpoint =
        status.host.as_ref().zip(status.port).map(|(host, port)| format!("{host}:{port}"));
    let size = status.size.as_ref().map(ToString::to_string);
    let public = status.public.map(|public| match (public, status.allowed.as_slice()) {
        (false, _) => "no".to_owned(),
        (true, []) => "yes, but no rule of sparkify allows access".to_owned(),
        (true, allowed) => format!("yes, from {}", allowed.join(", ")),
    });
    let expires = status
        .expires
        .as_ref()
        .map(|time| if status.expired { format!("{time} (expired)") } else { time.clone() });
    let lines = [
        ("size", &size),
        ("endpoint", &endpoint),
        ("database", &status.database),
        ("user", &status.user),
        ("secret", &status.secret_arn),
        ("role", &status.role_arn),
        ("public", &public),
        ("created", &status.created),
        ("expires", &expires),
    ];
    for (title, value) in lines {
        text.push_str(&value.as_deref().map(|value| line(title, value)).unwrap_or_default());
    }
    text.push_str(&status.cost.as_ref().map(cost).unwrap_or_default());
    text
}

/// Returns the commands to run next.
pub(super) fn next(commands: &[String]) -> String {
    let titles = std::iter::once("next").chain(std::iter::repeat(""));
    commands.iter().zip(titles).map(|(command, title)| line(title, command)).collect()
}

fn cost(cost: &Estimate) -> String {
    let hour = cost.dollars_per_hour.map(|dollars| format!("about ${dollars:.3} per hour"));
    let month = cost.dollars_per_month.map(|dollars| format!("${dollars:.2} per 30 days"));
    let so_far = cost.dollars_so_far.zip(cost.hours);
    let so_far = so_far
        .map(|(dollars, hours)| format!("${dollars:.2} for the {hours:.1} h since its creation"));
    let parts: Vec<String> = [hour, month, so_far].into_iter().flatten().collect();
    let parts = if parts.is_empty() { "unknown".into() } else { parts.join(", ") };
    line("cost", &parts) + &line("", &format!("({})", cost.note))
}

pub(super) fn down(name: &str, down: &Down, verified: bool, left: &[Leftover]) -> String {
    let mut text = if down.deleted.is_empty() {
        format!("nothing to delete for `{name}`\n")
    } else {
        format!("deleted: {}\n", down.deleted.join(", "))
    };
    for resource in left {
        let title = if resource.wanted { "kept" } else { "still exists" };
        text.push_str(&line(title, &format!("{} `{}`", resource.what, resource.name)));
    }
    if verified && left.iter().all(|resource| resource.wanted) {
        text.push_str(
            "verified: no cluster, snapshot, role, policy, rule or secret of it is left\n",
        );
    }
    text
}

pub(super) fn reaped(reaped: &Reaped, dry: bool) -> String {
    let mut text = String::new();
    for expired in &reaped.expired {
        let (title, resources) = match (dry, &expired.failed) {
            (true, _) => ("would delete", &expired.parts),
            (false, None) => ("deleted", &expired.deleted),
            (false, Some(_)) => ("deleted only", &expired.deleted),
        };
        let (name, time) = (&expired.name, &expired.expired);
        let resources = if resources.is_empty() { "nothing".into() } else { resources.join(", ") };
        let _ = writeln!(text, "`{name}` expired {time}: {title} {resources}");
    }
    let (expired, kept) = (reaped.expired.len(), reaped.kept.len());
    let _ = writeln!(text, "{expired} expired, {kept} kept");
    text
}
