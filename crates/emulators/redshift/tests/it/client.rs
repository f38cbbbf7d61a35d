//! Test client: `tokio-postgres` over verified TLS.

use std::sync::{Arc, Mutex};

use redshift_emulator::{Emulator, Options};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Rows in text format; `None` is NULL.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// Starts an emulator with the default options.
pub(crate) fn emulator() -> Emulator {
    Emulator::start(Options::default()).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

/// Returns a TLS connector that trusts only the authority of this emulator.
pub(crate) fn tls(emulator: &Emulator) -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(emulator.ca_pem().as_bytes()).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

/// Returns the connection settings of the first user.
pub(crate) fn config(emulator: &Emulator) -> Config {
    let mut config: Config =
        emulator.url().replacen("redshift://", "postgres://", 1).parse().unwrap();
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    config
}

/// Connected client.
pub(crate) struct Client {
    pub(crate) runtime: Runtime,
    pub(crate) inner: tokio_postgres::Client,
    pub(crate) parameters: Vec<(String, Option<String>)>,
    notices: Arc<Mutex<Vec<DbError>>>,
}

impl Client {
    /// Connects as the first user.
    pub(crate) fn connect(emulator: &Emulator) -> Self {
        Self::try_connect(emulator, &config(emulator)).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Connects with these settings.
    pub(crate) fn try_connect(
        emulator: &Emulator,
        config: &Config,
    ) -> Result<Self, tokio_postgres::Error> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let (inner, mut connection) = runtime.block_on(config.connect(tls(emulator)))?;
        let names = ["server_version", "client_encoding", "standard_conforming_strings"];
        let parameters = names
            .iter()
            .map(|name| ((*name).to_owned(), connection.parameter(name).map(str::to_owned)))
            .collect();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&notices);
        runtime.spawn(async move {
            while let Some(Ok(message)) =
                std::future::poll_fn(|context| connection.poll_message(context)).await
            {
                if let AsyncMessage::Notice(notice) = message {
                    received.lock().unwrap().push(notice);
                }
            }
        });
        Ok(Self { runtime, inner, parameters, notices })
    }

    /// Runs statements with the simple protocol; returns all rows.
    pub(crate) fn try_rows(&self, text: &str) -> Result<Rows, tokio_postgres::Error> {
        let messages = self.runtime.block_on(self.inner.simple_query(text))?;
        let mut rows = Rows::new();
        for message in messages {
            if let SimpleQueryMessage::Row(row) = message {
                rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
            }
        }
        Ok(rows)
    }

    /// Runs statements that must succeed; returns all rows.
    pub(crate) fn rows(&self, text: &str) -> Rows {
        self.try_rows(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    /// Runs a statement that must return a single value.
    pub(crate) fn value(&self, text: &str) -> String {
        let rows = self.rows(text);
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{text}: {rows:?}");
        rows[0][0].clone().unwrap_or_else(|| "(null)".to_owned())
    }

    /// Runs a statement that must fail; returns its error.
    pub(crate) fn error(&self, text: &str) -> DbError {
        match self.try_rows(text) {
            Ok(rows) => panic!("{text} did not fail: {rows:?}"),
            Err(error) => {
                error.as_db_error().cloned().unwrap_or_else(|| panic!("{text}: {error:?}"))
            }
        }
    }

    /// Runs a statement that must fail; returns SQLSTATE and message.
    pub(crate) fn code_and_message(&self, text: &str) -> (String, String) {
        let error = self.error(text);
        (error.code().code().to_owned(), error.message().to_owned())
    }

    /// Returns severity and message of the notices since the last call.
    pub(crate) fn notices(&self) -> Vec<(String, String)> {
        let mut notices = self.notices.lock().unwrap();
        notices.drain(..).map(|n| (n.severity().to_owned(), n.message().to_owned())).collect()
    }

    /// Returns true if a statement that must fail fails without an error from the server.
    pub(crate) fn loses_connection(&self, text: &str) -> bool {
        match self.try_rows(text) {
            Ok(rows) => panic!("{text}: {rows:?}"),
            Err(error) => error.as_db_error().is_none(),
        }
    }
}
