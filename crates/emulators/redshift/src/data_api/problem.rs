//! What goes wrong with a request, in the shapes of the service's model.

use serde_json::json;

use super::http::Answer;

/// An exception of the service.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: &'static str,
    message: String,
}

impl Problem {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    /// As it is answered.
    pub(crate) fn answer(&self) -> Answer {
        let status = match self.kind {
            "InternalServerException" => 500,
            "AccessDeniedException" | "MissingAuthenticationTokenException" => 403,
            _ => 400,
        };
        let mut body = json!({ "__type": self.kind, "Message": self.message });
        if self.kind == "ResourceNotFoundException" {
            body["ResourceId"] = json!("");
        }
        Answer { status, body }
    }
}
