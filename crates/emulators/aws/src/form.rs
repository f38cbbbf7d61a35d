//! A form of the Query protocol. What a call does not take out of it is what the API does not know.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::{Refusal, refuse};

#[derive(Debug)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn parse(body: &str) -> Self {
        let plain = |text: &str| {
            percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (plain(name), plain(value))).collect())
    }

    /// The form without action and version, of which the second must be the API's.
    pub(crate) fn of(body: &str, version: &str) -> Result<Self, Refusal> {
        let mut form = Self::parse(body);
        form.take("Action");
        match form.take("Version") {
            Some(found) if found == version => Ok(form),
            found => Err(refuse(400, "InvalidAction", format!("no such version {found:?}"))),
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(crate) fn need(&mut self, name: &str) -> Result<String, Refusal> {
        let missing = || {
            refuse(
                400,
                "MissingParameter",
                format!("The request must contain the parameter {name}"),
            )
        };
        self.take(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    /// `true` or `false`, and nothing else.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        self.take(name).map_or(Ok(None), |value| match value.as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(refuse(400, "MalformedInput", format!("{name} is no boolean"))),
        })
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<i64>, Refusal> {
        let wrong = |_| refuse(400, "MalformedInput", format!("{name} is no number"));
        self.take(name).map(|value| value.parse().map_err(wrong)).transpose()
    }

    /// `name.1`, `name.2` …
    pub(crate) fn list(&mut self, name: &str) -> Vec<String> {
        (1..).map_while(|number| self.take(&format!("{name}.{number}"))).collect()
    }

    /// `name.1.Key` and `name.1.Value`, …
    pub(crate) fn tags(&mut self, name: &str) -> BTreeMap<String, String> {
        (1..)
            .map_while(|number| {
                let key = self.take(&format!("{name}.{number}.Key"))?;
                Some((key, self.take(&format!("{name}.{number}.Value")).unwrap_or_default()))
            })
            .collect()
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(refuse(
                400,
                "UnknownParameter",
                format!("The parameter {name} is not recognized"),
            )),
        }
    }
}
