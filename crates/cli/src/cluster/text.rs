//! A cluster, for people: what is planned, what is there, what is gone.

use std::fmt::Write;

use sparkify_analytics::report::plain_table;
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
    let mut text = plain_table(&["step", "what", "how"], &rows, &[]);
    text.push('\n');
    text.push_str(&line("in", &format!("{} of account {}", plan.region, plan.account)));
    text.push_str(&line("as", &plan.caller));
    text.push_str(&cost(&plan.cost));
    for difference in &plan.differences {
        text.push_str(&line("differs", difference));
    }
    text.push_str("nothing was changed; `--output json` has the role's policies\n");
    text
}

pub(super) fn status(status: &Status) -> String {
    if status.parts.is_empty() {
        let other = if status.form == "provisioned" {
            "; a serverless one is asked for with `--serverless`"
        } else {
            ""
        };
        return format!(
            "there is no {} `{}` in {}{other}\n",
            status.form, status.name, status.region
        );
    }
    let ours = |ours: bool| if ours { "made by sparkify" } else { "not made by sparkify" };
    let rows: Vec<Vec<String>> = status
        .parts
        .iter()
        .map(|part| {
            vec![part.what.clone(), part.name.clone(), part.state.clone(), ours(part.ours).into()]
        })
        .collect();
    let mut text = plain_table(&["part", "name", "state", ""], &rows, &[]);
    text.push('\n');
    let endpoint =
        status.host.as_ref().zip(status.port).map(|(host, port)| format!("{host}:{port}"));
    let size = status.size.as_ref().map(ToString::to_string);
    let public = status.public.map(|public| match (public, status.allowed.as_slice()) {
        (false, _) => "no".to_owned(),
        (true, []) => "yes, and no rule of ours lets anybody in".to_owned(),
        (true, allowed) => format!("yes, for {}", allowed.join(", ")),
    });
    let expires = status.expires.as_ref().map(|moment| {
        if status.expired { format!("{moment}: that is past") } else { moment.clone() }
    });
    let lines = [
        ("size", &size),
        ("endpoint", &endpoint),
        ("database", &status.database),
        ("user", &status.user),
        ("password in", &status.secret_arn),
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

fn cost(cost: &Estimate) -> String {
    let hour = cost.dollars_per_hour.map(|dollars| format!("about ${dollars:.3} an hour"));
    let month = cost.dollars_per_month.map(|dollars| format!("${dollars:.2} in 30 days"));
    let so_far = cost.dollars_so_far.zip(cost.hours);
    let so_far = so_far
        .map(|(dollars, hours)| format!("${dollars:.2} in the {hours:.1} h since it was created"));
    let parts: Vec<String> = [hour, month, so_far].into_iter().flatten().collect();
    let parts = if parts.is_empty() { "unknown".into() } else { parts.join(", ") };
    line("cost", &parts) + &line("", &format!("({})", cost.note))
}

pub(super) fn down(name: &str, down: &Down, verified: bool, left: &[Leftover]) -> String {
    let mut text = if down.deleted.is_empty() {
        format!("there was nothing of `{name}` to delete\n")
    } else {
        format!("deleted: {}\n", down.deleted.join(", "))
    };
    for thing in left {
        let title = if thing.wanted { "kept" } else { "still there" };
        text.push_str(&line(title, &format!("{} `{}`", thing.what, thing.name)));
    }
    if verified && left.iter().all(|thing| thing.wanted) {
        text.push_str(
            "verified: no cluster, snapshot, role, policy, rule or secret of it is left\n",
        );
    }
    text
}

pub(super) fn reaped(reaped: &Reaped, dry: bool) -> String {
    let mut text = String::new();
    for expired in &reaped.expired {
        let (title, things) = match (dry, &expired.failed) {
            (true, _) => ("would delete", &expired.parts),
            (false, None) => ("deleted", &expired.deleted),
            (false, Some(_)) => ("deleted, but not all", &expired.deleted),
        };
        let (name, moment, things) = (&expired.name, &expired.expired, things.join(", "));
        let _ = writeln!(text, "`{name}` expired {moment}: {title} {things}");
    }
    let (expired, kept) = (reaped.expired.len(), reaped.kept.len());
    let _ = writeln!(text, "{expired} past their time, {kept} of ours may stay");
    text
}
