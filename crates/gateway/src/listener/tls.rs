//! Certificates of a listener. Only TLS 1.3 exists here: the code of 1.2 is not compiled in.

use config::settled;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
    let path = files.certificate.display().to_string();
    let unreadable = |why: String| TlsError::Certificate {
        path: path.clone(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(error.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable("there is no certificate in it".to_owned()));
    }
    let key = crate::secret::resolve(&files.key.to_string())
        .map_err(|error| TlsError::Key(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|error| TlsError::Key(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}
