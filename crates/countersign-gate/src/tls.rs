//! TLS for both ends: version 1.3 alone, whose exporter a handshake can be bound to. No type of rustls is handed out.

use std::io;
use std::sync::Arc;

use countersign_core::challenge::Binding;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConnectionCommon, RootCertStore, ServerConfig, version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate in the text.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// There is no private key in the text.
    #[error("there is no private key in it: {0}")]
    NoKey(String),
    /// The name is no host's.
    #[error("`{0}` is not the name of a host")]
    NotAName(String),
    /// The certificate or the key cannot be used.
    #[error("they cannot be used: {0}")]
    Unusable(String),
}

/// A server's certificate and key.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl ServerTls {
    /// From PEM: the server's certificate, then those that it was issued by; and its key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let certificates = read(certificates)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::NoKey(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(unusable)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Speaks TLS as the server: the stream in it, and what a handshake is bound to.
    pub async fn accept<S>(
        &self,
        stream: S,
    ) -> io::Result<(impl AsyncRead + AsyncWrite + Send + Unpin + use<S>, Binding)>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let stream = self.0.accept(stream).await?;
        let binding = binding(stream.get_ref().1)?;
        Ok((stream, binding))
    }
}

/// Whom a client trusts, and whom it expects.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl ClientTls {
    /// From PEM: the authorities that are trusted, and no others; and the name in the server's certificate.
    pub fn from_pem(authorities: &[u8], name: &str) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in read(authorities)? {
            roots.add(certificate).map_err(unusable)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).map_err(|_| TlsError::NotAName(name.to_owned()))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Speaks TLS as the client.
    pub async fn connect<S>(
        &self,
        stream: S,
    ) -> io::Result<(impl AsyncRead + AsyncWrite + Send + Unpin + use<S>, Binding)>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let stream = self.connector.connect(self.name.clone(), stream).await?;
        let binding = binding(stream.get_ref().1)?;
        Ok((stream, binding))
    }
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls(..)")
    }
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientTls({:?}, ..)", self.name)
    }
}

/// RFC 9266, section 2.
fn binding<D>(connection: &ConnectionCommon<D>) -> io::Result<Binding> {
    let exported = connection
        .export_keying_material([0; 32], Binding::EXPORTER_LABEL, Some(b""))
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Binding::tls_exporter(exported))
}

fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(TlsError::NoCertificate),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes it so")]
fn unusable(error: rustls::Error) -> TlsError {
    TlsError::Unusable(error.to_string())
}
