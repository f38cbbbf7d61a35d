//! Errors of the Data API in the shapes of the service's model.

use serde_json::json;

use super::http::Response;

/// Exception of the service.
#[derive(Debug)]
pub(crate) struct ApiError {
    /// Shape name, such as `ValidationException`.
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Creates a `ValidationException`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// Creates a `ResourceNotFoundException`.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    /// Converts the error to an HTTP response.
    pub(crate) fn response(&self) -> Response {
        let status = match self.code {
            "InternalServerException" => 500,
            "AccessDeniedException" | "MissingAuthenticationTokenException" => 403,
            _ => 400,
        };
        let mut body = json!({ "__type": self.code, "Message": self.message });
        if self.code == "ResourceNotFoundException" {
            body["ResourceId"] = json!("");
        }
        Response { status, body }
    }
}
