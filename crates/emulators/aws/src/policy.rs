//! Evaluation of identity-based policies with IAM's semantics: everything is denied unless a
//! statement allows it, and a statement that denies takes precedence.
//!
//! Only the elements and condition operators that the documented policies use are supported; others
//! are an error, so that no policy is accepted without being understood.

use std::collections::BTreeMap;

use serde_json::Value;

/// Permission that a call needs: action, resource and condition context.
#[derive(Debug, Clone, Default)]
pub struct Permission {
    /// Action, such as `iam:CreateRole`.
    pub action: String,
    /// ARN of the resource; `*` for an action without resources.
    pub resource: String,
    /// Values of the condition keys.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Permission {
    /// Creates a permission without condition keys.
    pub fn new(action: &str, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), ..Self::default() }
    }

    /// Adds a condition key with one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.entry(key.to_lowercase()).or_default().push(value.into());
        self
    }

    /// Adds tags as keys such as `aws:ResourceTag/KEY`.
    #[must_use]
    pub fn with_tags(self, prefix: &str, tags: &BTreeMap<String, String>) -> Self {
        tags.iter().fold(self, |it, (key, value)| it.with(&format!("{prefix}/{key}"), value))
    }
}

/// Identity-based policy.
#[derive(Debug, Clone)]
pub struct Policy(Vec<Statement>);

#[derive(Debug, Clone)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    is_pattern: bool,
    key: String,
    values: Vec<String>,
}

impl Policy {
    /// Parses a policy document.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if document["Version"] != "2012-10-17" {
            return Err("the policy has no version".into());
        }
        list(&document["Statement"])
            .into_iter()
            .map(Statement::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns true if the policies together allow the call.
    pub fn allow(policies: &[Self], call: &Permission) -> bool {
        let matching = || {
            policies.iter().flat_map(|policy| &policy.0).filter(|statement| statement.matches(call))
        };
        matching().any(|statement| statement.allows) && matching().all(|statement| statement.allows)
    }
}

impl Statement {
    fn parse(statement: &Value) -> Result<Self, String> {
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        let fields = statement.as_object().ok_or("a statement is not an object")?;
        if let Some(field) = fields.keys().find(|field| !known.contains(&field.as_str())) {
            return Err(format!("unsupported element `{field}`"));
        }
        let allows = match statement["Effect"].as_str() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("a statement has no effect".into()),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            let is_pattern = match operator.as_str() {
                "StringEquals" => false,
                "StringLike" => true,
                other => return Err(format!("unsupported operator `{other}`")),
            };
            for (key, values) in keys.as_object().into_iter().flatten() {
                let (key, values) = (key.to_lowercase(), texts(values)?);
                conditions.push(Condition { is_pattern, key, values });
            }
        }
        let (actions, resources) = (texts(&statement["Action"])?, texts(&statement["Resource"])?);
        if actions.is_empty() || resources.is_empty() {
            return Err("a statement has no action or no resource".into());
        }
        Ok(Self { allows, actions, resources, conditions })
    }

    fn matches(&self, call: &Permission) -> bool {
        // Names of actions are case-insensitive.
        let action = call.action.to_lowercase();
        self.actions.iter().any(|pattern| is_like(&pattern.to_lowercase(), &action))
            && self.resources.iter().any(|pattern| is_like(pattern, &call.resource))
            && self.conditions.iter().all(|condition| condition.holds(call))
    }
}

impl Condition {
    /// A key that is missing from the context fulfils no condition.
    fn holds(&self, call: &Permission) -> bool {
        let found = call.context.get(&self.key).map(Vec::as_slice).unwrap_or_default();
        let matches = |value: &String| {
            self.values.iter().any(|wanted| {
                if self.is_pattern { is_like(wanted, value) } else { wanted == value }
            })
        };
        found.iter().any(matches)
    }
}

/// Returns true if the text matches a pattern with the wildcards `*` and `?`.
fn is_like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, found) => found.is_none(),
        (Some('*'), found) => {
            is_like(&pattern[1..], text)
                || found.is_some_and(|first| is_like(pattern, &text[first.len_utf8()..]))
        }
        (Some(wanted), Some(first)) if wanted == '?' || wanted == first => {
            is_like(&pattern[wanted.len_utf8()..], &text[first.len_utf8()..])
        }
        _ => false,
    }
}

/// Returns the elements of a field, which is one value or an array.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts: Option<_> = list(value).into_iter().map(text).collect();
    texts.ok_or_else(|| format!("not a text: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> Policy {
        Policy::parse(&format!("{{\"Version\":\"2012-10-17\",\"Statement\":{statements}}}"))
            .unwrap()
    }

    #[test]
    fn everything_is_denied_that_is_not_allowed_and_a_denial_wins() {
        let allow =
            policy(r#"{"Effect":"Allow","Action":"s3:get*","Resource":"arn:aws:s3:::b/?/*"}"#);
        let deny =
            policy(r#"[{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::b/x/secret"}]"#);
        let call = |action, resource: &str| Permission::new(action, resource);
        let policies = [allow, deny];
        let allows = |call| Policy::allow(&policies, &call);
        assert!(allows(call("s3:GetObject", "arn:aws:s3:::b/x/y/z")));
        assert!(!allows(call("s3:GetObject", "arn:aws:s3:::b/xx/y")));
        assert!(!allows(call("s3:PutObject", "arn:aws:s3:::b/x/y")));
        assert!(!allows(call("s3:GetObject", "arn:aws:s3:::b/x/secret")));
    }

    #[test]
    fn all_conditions_must_hold_and_a_missing_key_fulfils_none() {
        let policies = [policy(
            r#"{"Effect":"Allow","Action":"x:Y","Resource":"*","Condition":{
                "StringEquals":{"aws:RequestTag/a":["1","2"]},"StringLike":{"k":"p-*"}}}"#,
        )];
        let allows = |call| Policy::allow(&policies, &call);
        let call = || Permission::new("x:Y", "*").with("aws:requesttag/a", "2");
        assert!(allows(call().with("k", "p-1")));
        assert!(!allows(call()));
        assert!(!allows(call().with("k", "q-1")));
        assert!(!allows(Permission::new("x:Y", "*").with("aws:requesttag/a", "3").with("k", "p-")));
    }

    #[test]
    fn elements_that_are_not_understood_are_errors() {
        for statement in [
            r#"{"Effect":"Allow","NotAction":"x:Y","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"x:Y","Resource":"*","Condition":{"Null":{"k":"true"}}}"#,
            r#"{"Effect":"Allow","Action":"x:Y"}"#,
        ] {
            let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":{statement}}}");
            assert!(Policy::parse(&text).is_err(), "{statement}");
        }
    }
}
