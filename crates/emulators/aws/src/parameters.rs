//! Parameters of a request in the Query protocol. An action removes the parameters that it
//! supports; the remaining ones are unknown and an error.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::{ApiError, error};

#[derive(Debug)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(crate) fn parse(body: &str) -> Self {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// Parses the parameters, checks `Version`, and removes it and `Action`.
    pub(crate) fn of(body: &str, version: &str) -> Result<Self, ApiError> {
        let mut parameters = Self::parse(body);
        parameters.take("Action");
        match parameters.take("Version") {
            Some(found) if found == version => Ok(parameters),
            found => Err(error(400, "InvalidAction", format!("unknown version {found:?}"))),
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Removes a required parameter.
    pub(crate) fn require(&mut self, name: &str) -> Result<String, ApiError> {
        let missing = || {
            error(400, "MissingParameter", format!("The request must contain the parameter {name}"))
        };
        self.take(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    /// Removes a boolean parameter, which must be `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.take(name).map_or(Ok(None), |value| match value.as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(error(400, "MalformedInput", format!("{name} is not a boolean"))),
        })
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let wrong = |_| error(400, "MalformedInput", format!("{name} is not a number"));
        self.take(name).map(|value| value.parse().map_err(wrong)).transpose()
    }

    /// Removes the items `name.1`, `name.2` …
    pub(crate) fn list(&mut self, name: &str) -> Vec<String> {
        (1..).map_while(|number| self.take(&format!("{name}.{number}"))).collect()
    }

    /// Removes the tags `name.1.Key` and `name.1.Value`, …
    pub(crate) fn tags(&mut self, name: &str) -> BTreeMap<String, String> {
        (1..)
            .map_while(|number| {
                let key = self.take(&format!("{name}.{number}.Key"))?;
                Some((key, self.take(&format!("{name}.{number}.Value")).unwrap_or_default()))
            })
            .collect()
    }

    /// Checks that no parameter is left.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(error(
                400,
                "UnknownParameter",
                format!("The parameter {name} is not recognized"),
            )),
        }
    }
}
