//! Certificates of a listener, and those of its clients where they are asked for. Only TLS 1.3 exists
//! here: the code of 1.2 is not compiled in.

use crate::stages::refused::{self, Refused};
use config::settled::{self, ClientCertificates};
use identity::possession::certificate::Certificate;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file cannot be read or holds none.
    #[error("cannot read `{path}`: {why}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The key cannot be had.
    #[error("its key: {0}")]
    Key(String),
    /// They do not belong together, or rustls does not accept them.
    #[error("{0}")]
    Unusable(#[from] rustls::Error),
}

pub(super) fn acceptor(files: &settled::Tls) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = crate::secret::resolve(&files.key.to_string())
        .map_err(|error| TlsError::Key(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|error| TlsError::Key(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut server = match &files.clients {
        None => server.with_no_client_auth().with_single_cert(chain, key)?,
        Some(clients) => {
            let verifier = verifier(clients, provider)?;
            let server = server.with_client_cert_verifier(verifier);
            let mut server = server.with_single_cert(chain, key)?;
            // A certificate is shown and looked at on every connection; none rides on an old one.
            server.session_storage = Arc::new(NoServerSessionStorage {});
            server.send_tls13_tickets = 0;
            server
        }
    };
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

/// The certificate that the other end has shown to hold the key of.
pub(super) fn certificate(connection: &rustls::ServerConnection) -> Option<Certificate> {
    let first = connection.peer_certificates()?.first()?;
    Certificate::read(first)
}

/// What is recorded of a handshake that failed for the certificate of the other end.
pub(super) fn refusal(error: &std::io::Error) -> Option<Refused> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        rustls::Error::InvalidCertificate(why) => Some(refused::certificate_refused(why)),
        rustls::Error::NoCertificatesPresented => Some(refused::certificate_unshown()),
        _ => None,
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |why: String| TlsError::Certificate {
        path: path.display().to_string(),
        why,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(error.to_string()))?;
    match certificates.is_empty() {
        true => Err(unreadable("there is no certificate in it".to_owned())),
        false => Ok(certificates),
    }
}

/// Who looks at the certificates of clients.
fn verifier(
    clients: &settled::Clients,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(path) = &clients.authorities else {
        return Ok(Arc::new(Anybody {
            provider,
            mode: clients.mode,
        }));
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match clients.mode {
        ClientCertificates::Optional => builder.allow_unauthenticated(),
        ClientCertificates::Required => builder,
    };
    builder.build().map_err(|error| TlsError::Certificate {
        path: path.display().to_string(),
        why: error.to_string(),
    })
}

/// Takes a certificate of anybody (RFC 8705, section 2.2): that whoever shows it holds its key is what
/// the signature of the handshake proves, and that is checked here as everywhere. Whose it is, is for
/// the token to say that names it.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
    mode: ClientCertificates,
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        self.mode == ClientCertificates::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let read = Certificate::read(certificate);
        let read = read.ok_or(rustls::CertificateError::BadEncoding)?;
        match read.is_in_force(now.as_secs()) {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(rustls::CertificateError::Expired.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
