//! An ordinary driver, tokio-postgres over verified TLS, as the tests hold it.

use std::sync::{Arc, Mutex};

use redshift_emulator::{Emulator, Options};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Rows in text form.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

/// An emulator with the default options.
pub(crate) fn emulator() -> Emulator {
    Emulator::start(Options::default()).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

/// TLS that trusts this emulator's authority alone.
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

/// How the first user connects.
pub(crate) fn config(emulator: &Emulator) -> Config {
    let mut config: Config =
        emulator.url().replacen("redshift://", "postgres://", 1).parse().unwrap();
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    config
}

/// A connected client.
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

    /// Connects as `config` says.
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
        let heard = Arc::clone(&notices);
        runtime.spawn(async move {
            while let Some(Ok(message)) =
                std::future::poll_fn(|context| connection.poll_message(context)).await
            {
                if let AsyncMessage::Notice(notice) = message {
                    heard.lock().unwrap().push(notice);
                }
            }
        });
        Ok(Self { runtime, inner, parameters, notices })
    }

    /// The rows of a text of statements, by the simple protocol.
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

    /// The same, which must not fail.
    pub(crate) fn rows(&self, text: &str) -> Rows {
        self.try_rows(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    /// The only value of a statement.
    pub(crate) fn value(&self, text: &str) -> String {
        let rows = self.rows(text);
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{text}: {rows:?}");
        rows[0][0].clone().unwrap_or_else(|| "(null)".to_owned())
    }

    /// The error of a statement, which must fail.
    pub(crate) fn error(&self, text: &str) -> DbError {
        match self.try_rows(text) {
            Ok(rows) => panic!("{text} did not fail: {rows:?}"),
            Err(error) => {
                error.as_db_error().cloned().unwrap_or_else(|| panic!("{text}: {error:?}"))
            }
        }
    }

    /// Its SQLSTATE and message.
    pub(crate) fn refusal(&self, text: &str) -> (String, String) {
        let error = self.error(text);
        (error.code().code().to_owned(), error.message().to_owned())
    }

    /// The notices since the last call.
    pub(crate) fn notices(&self) -> Vec<(String, String)> {
        let mut notices = self.notices.lock().unwrap();
        notices.drain(..).map(|n| (n.severity().to_owned(), n.message().to_owned())).collect()
    }

    /// Whether the connection is gone.
    pub(crate) fn is_lost(&self, text: &str) -> bool {
        match self.try_rows(text) {
            Ok(rows) => panic!("{text}: {rows:?}"),
            Err(error) => error.as_db_error().is_none(),
        }
    }
}
