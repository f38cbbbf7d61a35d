//! Why a command failed, for people: what was tried, what caused it, what to do; and the exit code that says whose fault it was.

use std::error::Error;
use std::process::ExitCode;

use super::printer::Printer;
use sparkify_analytics::export::ExportError;
use sparkify_analytics::report::QuestionError;
use sparkify_analytics::verify::{ProfileError, VerifyError};
use sparkify_config::{ConfigError, WarehouseUrl};
use sparkify_load::pipeline::EtlError;
use sparkify_sample_data::GenerateError;
use sparkify_warehouse::WarehouseError;

/// The data failed a check.
pub(super) const DATA: u8 = 1;
/// The tool, or what it was asked, failed.
pub(super) const TOOL: u8 = 2;

/// A command that came to no good end.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    causes: Vec<String>,
    details: Vec<String>,
    hint: Option<String>,
    code: u8,
    quiet: bool,
}

impl Failure {
    /// A failure of the tool in words of our own.
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            details: Vec::new(),
            hint: Some(hint.into()),
            code: TOOL,
            quiet: false,
        }
    }

    /// What the data did, which has been told already.
    pub(super) fn told(code: u8) -> Self {
        Self { code, quiet: true, ..Self::new("", "") }
    }

    /// A failure of one of several warehouses, with its name.
    pub(super) fn of(warehouse: &WarehouseUrl, error: WarehouseError) -> Self {
        let failure = Self::from(error);
        Self { message: format!("`{warehouse}`: {}", failure.message), ..failure }
    }

    fn from_error(error: &dyn Error, hint: Option<String>) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self { causes, hint, ..Self::new(error.to_string(), "") }
    }

    /// Tells people, and gives the exit code.
    pub(super) fn tell(&self, printer: &Printer) -> ExitCode {
        if !self.quiet {
            printer.error(&self.message);
            for cause in &self.causes {
                printer.line(&format!("  because: {cause}"));
            }
            for detail in &self.details {
                printer.line(&format!("  {detail}"));
            }
            if let Some(hint) = &self.hint {
                printer.hint(hint);
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::from_error(&error, Some(error.hint()))
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        Self::from_error(&error, error.hint())
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Warehouse(error) => Self::from(error),
            other => Self::from_error(&other, other.hint()),
        }
    }
}

#[cfg(feature = "page")]
impl From<sparkify_analytics::page::serve::ServeError> for Failure {
    fn from(error: sparkify_analytics::page::serve::ServeError) -> Self {
        Self::from_error(&error, error.hint())
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Self::from_error(&error, Some(error.hint()))
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        Self::from_error(&error, error.hint())
    }
}

impl From<QuestionError> for Failure {
    fn from(error: QuestionError) -> Self {
        Self::from_error(&error, Some(error.hint()))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::from(WarehouseError::Sink(error))
    }
}

impl From<WarehouseError> for Failure {
    fn from(error: WarehouseError) -> Self {
        // A reader that has seen enough, such as `head`, is no failure.
        if let WarehouseError::Sink(cause) = &error
            && cause.kind() == std::io::ErrorKind::BrokenPipe
        {
            return Self::told(0);
        }
        Self::from_error(&error, error.hint())
    }
}

impl From<EtlError> for Failure {
    fn from(error: EtlError) -> Self {
        let mut failure = Self::from_error(&error, error.hint());
        match &error {
            EtlError::TooManyRejects { samples, .. } => {
                failure.details.extend(samples.iter().map(|sample| {
                    let super::Sample { object, position, reason, excerpt } = sample;
                    format!("{object} at byte {position}: {reason}: {excerpt}")
                }));
            }
            EtlError::ChecksFailed { failed } => {
                failure.details.extend(failed.iter().map(|verdict| {
                    let first = verdict.samples.first().map(|row| row.join(", "));
                    let (check, claim, rows) =
                        (verdict.test, verdict.description, verdict.failing_rows);
                    format!("{check}: {claim}: {rows} rows, first ({})", first.unwrap_or_default())
                }));
            }
            _ => {}
        }
        failure.code = if error.is_about_data() { DATA } else { TOOL };
        failure
    }
}
