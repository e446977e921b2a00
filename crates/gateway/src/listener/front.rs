//! Whose certificate a request comes with: the caller's own, as TLS has it, or the one that a proxy in
//! front tells of (RFC 9440). A proxy is known by the certificate it has shown itself. What it tells is
//! believed from it alone; the same from anybody else is refused, never overlooked.

use super::Peer;
use crate::stages::refused::{self, Refused};
use config::settled::{self, FrontHeader};
use http::{HeaderMap, HeaderName};
use identity::possession::Thumbprint;
use identity::possession::certificate::{self, Certificate, Form};

/// Who may tell of certificates, and how.
#[derive(Debug)]
pub(super) struct Front {
    header: HeaderName,
    form: Form,
    proxies: Vec<Thumbprint>,
}

impl Front {
    pub(super) fn of(front: &settled::Front) -> Self {
        let (header, form) = match front.header {
            FrontHeader::ClientCert => (HeaderName::from_static("client-cert"), Form::ClientCert),
            FrontHeader::Envoy => (
                HeaderName::from_static("x-forwarded-client-cert"),
                Form::Envoy,
            ),
            FrontHeader::EscapedPem => (
                HeaderName::from_static("x-ssl-client-cert"),
                Form::EscapedPem,
            ),
        };
        // INVARIANT: the settled configuration holds 64 digits of each; one that is none is nobody.
        let proxies = front.proxies.iter();
        Front {
            header,
            form,
            proxies: proxies.filter_map(|it| Thumbprint::from_hex(it)).collect(),
        }
    }
}

/// The certificate of the caller, at this time in unix seconds.
pub(super) fn certificate(
    front: Option<&Front>,
    peer: &Peer,
    headers: &HeaderMap,
    now: u64,
) -> Result<Option<Certificate>, Refused> {
    let Some(front) = front else {
        return Ok(peer.certificate);
    };
    let named = |it: &Certificate| front.proxies.contains(it.thumbprint());
    let proxy = peer.certificate.filter(named);
    let mut values = headers.get_all(&front.header).iter();
    match (values.next(), values.next()) {
        // A proxy's own certificate is never its client's.
        (None, _) if proxy.is_some() => Ok(None),
        (None, _) => Ok(peer.certificate),
        _ if !proxy.is_some_and(|it| it.is_in_force(now)) => {
            Err(refused::front_untrusted(&front.header))
        }
        (Some(value), None) => certificate::forwarded(front.form, value.as_bytes())
            .map(Some)
            .map_err(|_unreadable| refused::front_unreadable(&front.header)),
        (Some(_), Some(_)) => Err(refused::front_repeated(&front.header)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const NOW: u64 = 1_800_000_000;

    fn made(name: &str, until: i32) -> (Vec<u8>, Certificate) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let certificate = Certificate::read(&der).unwrap();
        (der, certificate)
    }

    fn hex(certificate: &Certificate) -> String {
        let bytes = certificate.thumbprint().as_bytes().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn n7_4_a_proxy_is_believed_by_its_own_certificate_and_nobody_else_is() {
        use base64::Engine as _;
        let (_, proxy) = made("proxy.example", 2040);
        let (_, expired) = made("old.example", 2020);
        let (der, client) = made("client.example", 2040);
        let front = Front::of(&settled::Front {
            header: FrontHeader::ClientCert,
            proxies: vec![hex(&proxy), hex(&expired)],
        });
        let told = base64::engine::general_purpose::STANDARD.encode(der);
        let told = format!(":{told}:");
        let check = |by: Option<Certificate>,
                     values: &[&str],
                     expected: Result<Option<Certificate>, &str>| {
            let peer = Peer {
                source: IpAddr::from([127, 0, 0, 1]),
                certificate: by,
            };
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("client-cert", value.parse().unwrap());
            }
            let found = certificate(Some(&front), &peer, &headers, NOW);
            let found = found.map_err(|refused| refused.refusal.code);
            assert_eq!(found, expected, "{by:?} {values:?}");
        };
        check(Some(proxy), &[&told], Ok(Some(client)));
        check(Some(proxy), &[], Ok(None));
        check(Some(client), &[], Ok(Some(client)));
        check(None, &[], Ok(None));
        check(None, &[&told], Err("front_untrusted"));
        check(Some(client), &[&told], Err("front_untrusted"));
        check(Some(client), &[""], Err("front_untrusted"));
        check(None, &[&told, &told], Err("front_untrusted"));
        check(Some(expired), &[&told], Err("front_untrusted"));
        check(Some(expired), &[], Ok(None));
        check(Some(proxy), &[&told, &told], Err("front_repeated"));
        check(Some(proxy), &["nonsense"], Err("front_unreadable"));
        check(Some(proxy), &[""], Err("front_unreadable"));
        // Where no proxy is named, the header means nothing, and the connection everything.
        let peer = Peer {
            source: IpAddr::from([127, 0, 0, 1]),
            certificate: Some(proxy),
        };
        let mut headers = HeaderMap::new();
        headers.append("client-cert", told.parse().unwrap());
        assert_eq!(
            certificate(None, &peer, &headers, NOW).unwrap(),
            Some(proxy)
        );
    }
}
