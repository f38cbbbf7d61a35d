//! TLS with `rustls`. Certificate and host name are verified, unless the user disabled that with
//! `sslmode=require` or `sslmode=verify-ca`; see `sparkify_config`.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::error::not_connected;
use sparkify_config::{Host, Server, TlsMode};
use sparkify_warehouse::WarehouseError;

/// TLS configuration for one server; none if TLS is disabled.
pub(super) struct TlsSettings(Option<Arc<ClientConfig>>);

impl TlsSettings {
    pub(super) fn new(server: &Server) -> Result<Self, WarehouseError> {
        if server.tls == TlsMode::Disable {
            return Ok(Self(None));
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let broken = |error: &dyn std::fmt::Display| {
            not_connected(server, format!("cannot set up TLS: {error}"), "check sslrootcert")
        };
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| broken(&e))?;
        let verifier: Arc<dyn ServerCertVerifier> = if server.tls == TlsMode::Require {
            Arc::new(AnyCertificate(provider))
        } else {
            let roots = Arc::new(roots(server)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            let verifier = verifier.map_err(|error| broken(&error))?;
            match server.tls {
                TlsMode::VerifyCa => Arc::new(AnyName(verifier)),
                _ => verifier,
            }
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Self(Some(Arc::new(builder.with_no_client_auth()))))
    }

    /// Returns the configuration of `rustls`.
    pub(super) fn into_config(self) -> Option<Arc<ClientConfig>> {
        self.0
    }

    /// Returns the connector that encrypts one stream.
    pub(super) fn connector(&self, server: &Server) -> Connector {
        let name = match &server.host {
            Host::Tcp(name) => name.clone(),
            Host::Socket(_) => String::new(),
        };
        Connector { config: self.0.clone(), name }
    }
}

/// Returns the trusted certificate authorities.
fn roots(server: &Server) -> Result<RootCertStore, WarehouseError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = &server.root_certificates else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let reason = "this system has no CA certificates".to_owned();
            let hint = "install the package ca-certificates, or set a file with `sslrootcert=FILE`";
            return Err(not_connected(server, reason, hint));
        }
        return Ok(roots);
    };
    let added = read_roots(file, &mut roots);
    let reason = match added {
        Ok(0) => "it contains no certificate in PEM format".to_owned(),
        Ok(_) => return Ok(roots),
        Err(reason) => reason,
    };
    let reason = format!("cannot use the certificates in `{}`: {reason}", file.display());
    Err(not_connected(server, reason, "set an existing, readable file with `sslrootcert=FILE`"))
}

fn read_roots(file: &Path, roots: &mut RootCertStore) -> Result<usize, String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots.len())
}

/// Verifier for `sslmode=verify-ca`: accepts a certificate of a trusted authority for any host
/// name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

/// Verifier for `sslmode=require`: accepts any certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The name is verified last, so after this error everything else about the certificate is
        // valid.
        match self.0.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Connector that encrypts one stream.
pub(super) struct Connector {
    config: Option<Arc<ClientConfig>>,
    name: String,
}

/// Encrypted stream.
pub(super) struct Stream<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connector {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let config = self.config.ok_or_else(|| io::Error::other("TLS was not set up"))?;
            let name = ServerName::try_from(self.name).map_err(io::Error::other)?;
            Ok(Stream(TlsConnector::from(config).connect(name, stream).await?))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
