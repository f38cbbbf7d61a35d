//! The shared files of AWS, `~/.aws/config` and `~/.aws/credentials`: what a profile says about keys, region and endpoint.
//!
//! Of a profile that signs in elsewhere (SSO, a device for a second factor) this reads no more than that: the hint says how the tools of AWS hand
//! over what they got.

use std::collections::BTreeMap;
use std::path::PathBuf;

use configparser::ini::{Ini, IniDefault};

use super::s3::keys;
use super::suggest;
use super::{ConfigError, Credentials, Secret};

/// How far a role may be taken on with another one.
const DEEPEST: usize = 5;
const KEY_NAMES: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// The profiles of both files; what stands in the credentials' file wins.
#[derive(Debug, Default)]
pub(super) struct Profiles(BTreeMap<String, BTreeMap<String, Secret>>);

impl Profiles {
    /// Reads both files. One that is not there holds nothing, unless somebody named it.
    pub(super) fn read(
        config: (Option<PathBuf>, bool),
        credentials: (Option<PathBuf>, bool),
    ) -> Result<Self, ConfigError> {
        let mut profiles = Self::default();
        for ((path, named), is_config) in [(config, true), (credentials, false)] {
            let Some(path) = path else { continue };
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(ConfigError::Shared { path, source }),
            };
            profiles.take(&text, is_config);
        }
        Ok(profiles)
    }

    /// A line that is not understood is passed over: the files belong to many tools.
    fn take(&mut self, text: &str, is_config: bool) {
        let mut defaults = IniDefault::default();
        defaults.comment_symbols = vec!['#', ';'];
        defaults.inline_comment_symbols = Some(Vec::new());
        defaults.delimiters = vec!['='];
        defaults.case_sensitive = true;
        let top_level = text.lines().filter(|line| !line.starts_with([' ', '\t']));
        let text = top_level.collect::<Vec<_>>().join("\n");
        let sections = Ini::new_from_defaults(defaults).read(text).unwrap_or_default();
        for (section, values) in sections {
            let name = section.strip_prefix("profile ").map(str::trim);
            let name = match (is_config, name) {
                (true, Some(name)) => name,
                (true, None) if section != "default" => continue,
                _ => section.as_str(),
            };
            let profile = self.0.entry(name.trim_matches('"').to_owned()).or_default();
            for (key, value) in values {
                profile.insert(key.to_lowercase(), Secret::new(value.unwrap_or_default().trim()));
            }
        }
    }

    /// One value of a profile.
    pub(super) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        let value = self.0.get(profile)?.get(key)?.reveal();
        (!value.is_empty()).then_some(value)
    }

    /// Whether a profile says anything about who asks.
    pub(super) fn has_credentials(&self, profile: &str) -> bool {
        let telling = [
            "aws_access_key_id",
            "role_arn",
            "credential_process",
            "sso_session",
            "sso_start_url",
            "login_session",
        ];
        telling.iter().any(|key| self.get(profile, key).is_some())
    }

    /// Who asks, by the words of a profile.
    pub(super) fn credentials(
        &self,
        profile: &str,
        sts: Option<&str>,
    ) -> Result<Credentials, ConfigError> {
        self.follow(profile, sts, DEEPEST)
    }

    fn follow(
        &self,
        profile: &str,
        sts: Option<&str>,
        deep: usize,
    ) -> Result<Credentials, ConfigError> {
        let Some(values) = self.0.get(profile) else { return Err(self.unknown(profile)) };
        let has = |key: &str| self.get(profile, key);
        if let Some(arn) = has("role_arn") {
            return self.role(profile, arn, sts, deep);
        }
        let place = format!("the profile `{profile}`");
        let parts = KEY_NAMES.map(|name| values.get(name));
        if let Some(keys) = keys(&place, KEY_NAMES, parts)? {
            return Ok(Credentials::Keys(keys));
        }
        if let Some(command) = has("credential_process") {
            return Ok(Credentials::Process(Secret::new(command)));
        }
        Err(elsewhere(profile, has("sso_session").or(has("sso_start_url")).is_some()))
    }

    /// A role, taken on with what another profile or a token in a file gives.
    fn role(
        &self,
        profile: &str,
        arn: &str,
        sts: Option<&str>,
        deep: usize,
    ) -> Result<Credentials, ConfigError> {
        let has = |key: &str| self.get(profile, key);
        let session = has("role_session_name").unwrap_or("sparkify").to_owned();
        let sts = sts.map(str::to_owned);
        if let Some(token_file) = has("web_identity_token_file") {
            let token_file = token_file.to_owned();
            return Ok(Credentials::WebIdentity { token_file, arn: arn.into(), session, sts });
        }
        let base = match has("source_profile") {
            Some(_) if has("mfa_serial").is_some() || deep == 0 => None,
            // A profile may name itself: its own keys take the role on.
            Some(source) if source == profile => {
                let parts = KEY_NAMES.map(|name| self.0.get(source).and_then(|p| p.get(name)));
                keys(&format!("the profile `{source}`"), KEY_NAMES, parts)?.map(Credentials::Keys)
            }
            Some(source) => Some(self.follow(source, sts.as_deref(), deep - 1)?),
            None => None,
        };
        let base = base.ok_or_else(|| elsewhere(profile, false))?;
        Ok(Credentials::Role {
            arn: arn.into(),
            session,
            external_id: has("external_id").map(Secret::new),
            base: Box::new(base),
            sts,
        })
    }

    fn unknown(&self, profile: &str) -> ConfigError {
        let known = self.0.keys().map(String::as_str);
        ConfigError::Credentials {
            reason: format!("there is no profile `{profile}` in the shared files of AWS"),
            hint: suggest::hint(
                profile,
                known,
                "`aws configure list-profiles` names those that are there",
            ),
        }
    }
}

/// A profile whose keys only the tools of AWS can get.
fn elsewhere(profile: &str, sso: bool) -> ConfigError {
    let reason = if sso {
        format!("the profile `{profile}` signs in with SSO, which this program cannot")
    } else {
        format!("the profile `{profile}` has no keys, and no way to them that this program knows")
    };
    ConfigError::Credentials {
        reason,
        hint: format!(
            "run `eval \"$(aws configure export-credentials --profile {profile} --format env)\"` first, or set its `credential_process`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile work]\nregion=us-west-2\ns3 =\n  addressing_style = path\n\
        role_arn = arn:aws:iam::1:role/r\nsource_profile = keys\n[profile sso]\nsso_session = x\n[sso-session x]\nregion = y\n";
    const KEYS: &str = "[keys]\naws_access_key_id = AKIA\naws_secret_access_key = a/b+c=;#d\n[half]\naws_access_key_id=A\n";

    fn profiles() -> Profiles {
        let mut profiles = Profiles::default();
        profiles.take(CONFIG, true);
        profiles.take(KEYS, false);
        profiles
    }

    #[test]
    fn profiles_are_read_as_aws_writes_them() {
        let profiles = profiles();
        assert_eq!(profiles.get("default", "region"), Some("eu-west-1"));
        assert_eq!(profiles.get("work", "addressing_style"), None);
        let Credentials::Role { arn, base, .. } = profiles.credentials("work", None).unwrap()
        else {
            panic!("a role");
        };
        assert_eq!(arn, "arn:aws:iam::1:role/r");
        let Credentials::Keys(keys) = *base else { panic!("keys") };
        assert_eq!((keys.id.reveal(), keys.secret.reveal()), ("AKIA", "a/b+c=;#d"));
    }

    #[test]
    fn a_profile_that_is_of_no_use_says_what_to_do() {
        let of = |name: &str| profiles().credentials(name, None).unwrap_err();
        assert!(of("key").hint().contains("did you mean `keys`?"));
        assert!(of("sso").hint().contains("export-credentials --profile sso"));
        assert!(of("half").to_string().contains("no `aws_secret_access_key`"));
    }
}
