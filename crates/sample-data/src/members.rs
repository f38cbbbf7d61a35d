//! Flat JSON objects as lists of members, for modification.

/// Members of an object without nesting, each as `"key":value`.
#[derive(Clone)]
pub(super) struct Members(Vec<Vec<u8>>);

impl Members {
    pub(super) fn of(object: &[u8]) -> Self {
        let inner = object.strip_prefix(b"{").unwrap_or(object);
        let inner = inner.strip_suffix(b"}").unwrap_or(inner);
        let (mut members, mut start) = (Vec::new(), 0);
        let (mut quoted, mut escaped) = (false, false);
        for (at, &byte) in inner.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    members.push(inner[start..at].to_vec());
                    start = at + 1;
                }
                _ => {}
            }
        }
        members.push(inner[start..].to_vec());
        Self(members)
    }

    fn has_key(member: &[u8], key: &str) -> bool {
        let rest = member.strip_prefix(b"\"").and_then(|m| m.strip_prefix(key.as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\":"))
    }

    /// Returns the JSON text of the value of `key`.
    pub(super) fn get(&self, key: &str) -> &[u8] {
        let member = self.0.iter().find(|m| Self::has_key(m, key));
        member.and_then(|m| m.get(key.len() + 3..)).unwrap_or_default()
    }

    /// Replaces the value of an existing key with JSON text.
    pub(super) fn set(mut self, key: &str, value: &[u8]) -> Self {
        if let Some(member) = self.0.iter_mut().find(|m| Self::has_key(m, key)) {
            member.truncate(key.len() + 3);
            member.extend_from_slice(value);
        }
        self
    }

    /// Converts the value of `key` from a number to a string.
    pub(super) fn quote(self, key: &str) -> Self {
        let value = self.get(key);
        if value.is_empty() || !value[0].is_ascii_digit() {
            return self;
        }
        let quoted = [b"\"", value, b"\""].concat();
        self.set(key, &quoted)
    }

    pub(super) fn remove(mut self, key: &str) -> Self {
        self.0.retain(|member| !Self::has_key(member, key));
        self
    }

    pub(super) fn remove_nulls(mut self) -> Self {
        self.0.retain(|member| !member.ends_with(b":null"));
        self
    }

    pub(super) fn add(mut self, member: &str) -> Self {
        self.0.insert(self.0.len() / 2, member.as_bytes().to_vec());
        self
    }

    pub(super) fn reverse(mut self) -> Self {
        self.0.reverse();
        self
    }

    pub(super) fn line(&self) -> Vec<u8> {
        [b"{".as_slice(), &self.0.join(b",".as_slice()), b"}"].concat()
    }

    /// Formats the object with one member per line.
    pub(super) fn pretty(&self) -> Vec<u8> {
        [b"{\n    ".as_slice(), &self.0.join(b",\n    ".as_slice()), b"\n}"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Members;

    #[test]
    fn objects_are_split_and_joined() {
        let text = br#"{"a":"x,\"y","ab":1,"c":null}"#;
        let members = Members::of(text);
        assert_eq!(members.line(), text);
        assert_eq!(members.get("ab"), b"1");
        let changed = members.quote("ab").set("a", b"2").remove_nulls().reverse().line();
        assert_eq!(changed, br#"{"ab":"1","a":2}"#);
    }
}
