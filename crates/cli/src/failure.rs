//! Failure of a command: message, causes, hint and exit code.

use std::error::Error;
use std::process::ExitCode;

use serde_json::json;

use super::printer::{Output, Printer};
use super::signals;
use sparkify_analytics::export::ExportError;
use sparkify_analytics::report::SavedQueryError;
use sparkify_analytics::verify::{ProfileError, VerifyError};
use sparkify_config::{ConfigError, WarehouseUrl};
use sparkify_load::data_tests::TestResult;
use sparkify_load::erase::EraseError;
use sparkify_load::log_format::ChoiceError;
use sparkify_load::pipeline::EtlError;
use sparkify_load::transfer::TransferError;
use sparkify_sample_data::GenerateError;
use sparkify_warehouse::WarehouseError;

/// Exit code: a data test, comparison or pre-flight check failed.
pub(super) const DATA: u8 = 1;
/// Exit code: the program failed.
pub(super) const TOOL: u8 = 2;

/// Base of the exit code after a signal, as shells use it.
const SIGNAL: u8 = 128;

/// A command that failed.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    causes: Vec<String>,
    details: Vec<String>,
    hint: Option<String>,
    code: u8,
    /// True if the command has printed its own message.
    reported: bool,
}

impl Failure {
    /// Creates a failure with [`TOOL`] as exit code.
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            details: Vec::new(),
            hint: Some(hint.into()),
            code: TOOL,
            reported: false,
        }
    }

    /// Creates a failure that has been reported already: only its exit code is left to return.
    pub(super) fn reported(code: u8) -> Self {
        Self { code, reported: true, ..Self::new("", "") }
    }

    /// Creates a failure of one of several warehouses; the message begins with the warehouse's URL.
    pub(super) fn of_warehouse(warehouse: &WarehouseUrl, error: WarehouseError) -> Self {
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

    fn add_failed_tests(&mut self, failed: &[TestResult]) {
        self.details.extend(failed.iter().map(|result| {
            let first = result.samples.first().map(|row| row.join(", "));
            let (name, test, rows) = (result.test, result.description, result.failing_rows);
            let first = first.unwrap_or_default();
            format!("{name}: {test}: {rows} failing rows, first ({first})")
        }));
    }

    /// Prints the message with causes, details and hint, and returns the exit code.
    pub(super) fn report(&self, printer: &Printer) -> ExitCode {
        if !self.reported && printer.output == Output::Json {
            // One line, so that a scheduler finds it among the lines of a log.
            let error = json!({
                "error": self.message,
                "causes": self.causes,
                "details": self.details,
                "hint": self.hint,
                "exit_code": self.code,
            });
            printer.line(&error.to_string());
        } else if !self.reported {
            printer.error(&self.message);
            for cause in &self.causes {
                printer.line(&format!("  caused by: {cause}"));
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
        let code = if matches!(error, VerifyError::OtherData { .. }) { DATA } else { TOOL };
        Self { code, ..Self::from_error(&error, error.hint()) }
    }
}

impl From<SavedQueryError> for Failure {
    fn from(error: SavedQueryError) -> Self {
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
        // A reader that closes the pipe early, such as `head`, is no failure.
        if let WarehouseError::Sink(cause) = &error
            && cause.kind() == std::io::ErrorKind::BrokenPipe
        {
            return Self::reported(0);
        }
        Self::from_error(&error, error.hint())
    }
}

impl From<EtlError> for Failure {
    fn from(error: EtlError) -> Self {
        let mut failure = Self::from_error(&error, error.hint());
        match &error {
            EtlError::TooManyRejects(rejects) => {
                let damaged = super::etl::damaged_lines(&rejects.damaged, rejects.objects_damaged);
                failure.details.extend(damaged);
                failure.details.extend(rejects.samples.iter().map(|sample| {
                    let super::Sample { object, position, reason, excerpt } = sample;
                    format!("{object} at byte {position}: {reason}: {excerpt}")
                }));
            }
            EtlError::ChecksFailed { failed } => failure.add_failed_tests(failed),
            _ => {}
        }
        failure.code = match error {
            EtlError::Cancelled => SIGNAL + signals::received(),
            _ if error.is_about_data() => DATA,
            _ => TOOL,
        };
        failure
    }
}

impl From<ChoiceError> for Failure {
    fn from(error: ChoiceError) -> Self {
        Self::from_error(&error, Some(error.hint()))
    }
}

impl From<EraseError> for Failure {
    fn from(error: EraseError) -> Self {
        let mut failure = Self::from_error(&error, error.hint());
        if let EraseError::ChecksFailed { failed } = &error {
            failure.add_failed_tests(failed);
            failure.code = DATA;
        }
        failure
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let mut failure = Self::from_error(&error, error.hint());
        if let TransferError::ChecksFailed { failed } = &error {
            failure.add_failed_tests(failed);
        }
        failure.code = match error {
            TransferError::Cancelled => SIGNAL + signals::received(),
            TransferError::ChecksFailed { .. } => DATA,
            _ => TOOL,
        };
        failure
    }
}
