//! Answers as XML.

use std::collections::BTreeMap;

/// One element with text in it.
pub(crate) fn tag(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

/// One element with elements in it.
pub(crate) fn around(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// Tags, each in an element of this name.
pub(crate) fn tags(name: &str, tags: &BTreeMap<String, String>) -> String {
    let one =
        |(key, value): (&String, &String)| around(name, &(tag("Key", key) + &tag("Value", value)));
    tags.iter().map(one).collect()
}

/// An answer of the Query protocol.
pub(crate) fn response(action: &str, result: &str) -> String {
    let result = around(&format!("{action}Result"), result);
    let metadata = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>";
    around(&format!("{action}Response"), &(result + metadata))
}
