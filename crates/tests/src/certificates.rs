//! Certificates for tests, and requests over TLS that show them. Keys are made anew for each test and
//! nothing trusts them but the test.

use crate::wire::{self, Outgoing, Reply};
use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use url::Url;

/// A certificate and its key.
#[derive(Debug)]
pub struct Identity {
    /// The certificate, in DER form.
    pub der: Vec<u8>,
    /// The certificate, in PEM form.
    pub pem: String,
    key: KeyPair,
}

/// Until when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Good {
    /// For years.
    Long,
    /// Not any more.
    Over,
}

/// An authority that signs whatever a test asks for.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Authority { issuer })
    }

    /// A certificate for this name.
    pub fn issue(&self, name: &str, good: Good) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = params(name, good)?.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key,
        })
    }

    /// Its own certificate, in PEM form.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What a server on this machine answers over TLS with.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let server = self.issue("127.0.0.1", Good::Long)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(server.key.serialize_der());
        let key = key.map_err(|why| anyhow::anyhow!("no key: {why}"))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(server.der)], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Writes its own certificate, and one for a server on this machine with its key, into a folder.
    pub fn write(&self, folder: &Path) -> Result<Files> {
        let server = self.issue("127.0.0.1", Good::Long)?;
        let file = |name: &str, text: String| -> Result<PathBuf> {
            let path = folder.join(name);
            std::fs::write(&path, text)?;
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            Ok(path)
        };
        Ok(Files {
            authority: file("ca.pem", self.issuer.pem())?,
            certificate: file("cert.pem", server.pem.clone())?,
            key: file("key.pem", server.key.serialize_pem())?,
        })
    }

    /// Sends a request over TLS, with a certificate if there is one, and reads the whole answer.
    pub async fn send(
        &self,
        url: &Url,
        request: Outgoing,
        identity: Option<&Identity>,
    ) -> Result<Reply> {
        request.send_over(self.connect(url, identity).await?).await
    }

    async fn connect(
        &self,
        url: &Url,
        identity: Option<&Identity>,
    ) -> Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = vec![CertificateDer::from(identity.der.clone())];
                let key = PrivateKeyDer::try_from(identity.key.serialize_der());
                let key = key.map_err(|why| anyhow::anyhow!("no key: {why}"))?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        let name = ServerName::try_from(url.host_str().context("no host")?.to_owned())?;
        let socket = wire::connect(url).await?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(connector.connect(name, socket).await?)
    }
}

/// Where the files of a listener lie.
#[derive(Debug)]
pub struct Files {
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The server's.
    pub certificate: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

impl Identity {
    /// One that nobody but itself has signed.
    pub fn of_nobody(name: &str, good: Good) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = params(name, good)?.self_signed(&key)?;
        Ok(Identity {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key,
        })
    }

    /// The same with an RSA key, as Entra ID takes them.
    pub fn of_nobody_with_rsa(name: &str) -> Result<Self> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let certificate = params(name, Good::Long)?.self_signed(&key)?;
        Ok(Identity {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key,
        })
    }

    /// Its private key, in PEM form.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Its public key, as it stands in the certificate.
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key_raw()
    }
}

fn params(name: &str, good: Good) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = match good {
        Good::Long => rcgen::date_time_ymd(2060, 1, 1),
        Good::Over => rcgen::date_time_ymd(2021, 1, 1),
    };
    Ok(params)
}
