//! XML of responses.

use std::collections::BTreeMap;

/// Formats an element with text.
pub(crate) fn tag(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

/// Formats an element with child elements.
pub(crate) fn element(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// Formats resource tags, each as an element of this name.
pub(crate) fn tags(name: &str, tags: &BTreeMap<String, String>) -> String {
    let one =
        |(key, value): (&String, &String)| element(name, &(tag("Key", key) + &tag("Value", value)));
    tags.iter().map(one).collect()
}

/// Formats a response of the Query protocol.
pub(crate) fn response(action: &str, result: &str) -> String {
    let result = element(&format!("{action}Result"), result);
    let metadata = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>";
    element(&format!("{action}Response"), &(result + metadata))
}
