//! Passkeys: the two ceremonies of Web Authentication (Level 3, sections 7.1 and 7.2) as a relying party
//! that trusts no manufacturer: attestation `none` alone, a person who is there and verified each time.
//!
//! Nothing here draws a challenge, keeps anything or reads a clock. What authenticators write is untrusted
//! input; it is read once, strictly, and what is not understood is refused.

mod cbor;
mod data;

use crate::{base64url, members};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use cbor::Item;
use data::{AuthenticatorData, Flags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest part of an answer that is read, in bytes.
pub const PART_MAX: usize = 16 * 1024;
/// The longest identifier of a credential, in bytes (section 7.1, step 25).
pub const ID_MAX: usize = 1023;

/// Who relies on a passkey: what the browser and the authenticator have to have seen.
#[derive(Clone, Copy, Debug)]
pub struct RelyingParty<'a> {
    /// The domain that passkeys are for.
    pub id: &'a str,
    /// The origin of the pages that ask for them, exactly.
    pub origin: &'a str,
}

/// A passkey as it is kept: a public key, which is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// Its identifier, as base64url.
    pub id: String,
    /// The public key.
    pub key: PasskeyKey,
    /// How often it says that it was used; 0 if it does not count.
    pub count: u32,
    /// Whether it may be on several devices. That never changes.
    pub backup_eligible: bool,
}

/// A public key of one of the algorithms that are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "algorithm", deny_unknown_fields)]
pub enum PasskeyKey {
    /// Ed25519 (`-8`).
    #[serde(rename = "EdDSA")]
    EdDsa {
        /// The point, as base64url.
        x: String,
    },
    /// ECDSA over P-256 with SHA-256 (`-7`).
    #[serde(rename = "ES256")]
    Es256 {
        /// The point, as base64url.
        x: String,
        /// Likewise.
        y: String,
    },
    /// RSA PKCS #1 v1.5 with SHA-256 (`-257`).
    #[serde(rename = "RS256")]
    Rs256 {
        /// The modulus, as base64url.
        n: String,
        /// The exponent, likewise.
        e: String,
    },
}

impl PasskeyKey {
    /// The algorithms that are asked for, as COSE numbers them, the best first.
    pub const ALGORITHMS: [i64; 3] = [-8, -7, -257];
}

/// What a browser brings when a passkey was made.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// `clientDataJSON`.
    pub client_data: &'a [u8],
    /// `attestationObject`.
    pub attestation: &'a [u8],
}

/// What a browser brings when a passkey was used.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    /// `clientDataJSON`.
    pub client_data: &'a [u8],
    /// `authenticatorData`.
    pub authenticator_data: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

/// Why a passkey is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// It was made with a key of another kind than was asked for.
    #[error("the passkey has a key of a kind that was not asked for")]
    Algorithm,
    /// It comes with a statement about its maker, and none was asked for.
    #[error("the passkey comes with an attestation, and none was asked for")]
    Attestation,
    /// Whether it may be on several devices has changed, or is contradicted.
    #[error("the passkey contradicts itself about being backed up")]
    Backup,
    /// The answer is to another question.
    #[error("the answer is to another challenge")]
    Challenge,
    /// It counts backwards: there are two of it.
    #[error("the passkey counts backwards, so that there may be two of it")]
    Count,
    /// It is not written as it has to be.
    #[error("the answer is not written as it has to be: {0}")]
    Form(&'static str),
    /// It was asked for by a page of somebody else.
    #[error("the passkey was used at another origin")]
    Origin,
    /// It is for another domain.
    #[error("the passkey is for another domain")]
    Party,
    /// The signature is not that of the passkey.
    #[error("the signature is not that of the passkey")]
    Signature,
    /// Nobody was there, or they were not verified.
    #[error("nobody was there to be verified")]
    Verification,
}

impl PasskeyError {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            PasskeyError::Algorithm => "passkey_algorithm",
            PasskeyError::Attestation => "passkey_attestation",
            PasskeyError::Backup => "passkey_backup",
            PasskeyError::Challenge => "passkey_challenge",
            PasskeyError::Count => "passkey_count",
            PasskeyError::Form(_) => "passkey_form",
            PasskeyError::Origin => "passkey_origin",
            PasskeyError::Party => "passkey_party",
            PasskeyError::Signature => "passkey_signature",
            PasskeyError::Verification => "passkey_verification",
        }
    }
}

impl RelyingParty<'_> {
    /// The passkey that was made (section 7.1), in answer to this challenge.
    pub fn registered(
        &self,
        challenge: &[u8],
        answer: Registration<'_>,
    ) -> Result<Passkey, PasskeyError> {
        self.client(answer.client_data, "webauthn.create", challenge)?;
        if answer.attestation.len() > PART_MAX {
            return Err(PasskeyError::Form("the attestation is too long"));
        }
        let attestation = Item::read(answer.attestation);
        let attestation = attestation.ok_or(PasskeyError::Form("the attestation is no CBOR"))?;
        let member = |name: &str| attestation.named(name);
        let [format, statement, data] = ["fmt", "attStmt", "authData"].map(member);
        let bare = matches!(statement, Some(Item::Map(members)) if members.is_empty());
        match (format, bare) {
            (Some(Item::Text(format)), true) if *format == "none" => {}
            _ => return Err(PasskeyError::Attestation),
        }
        let Some(Item::Bytes(data)) = data else {
            return Err(PasskeyError::Form("there is no authenticator data"));
        };
        let data = self.authenticator(data)?;
        let made = data
            .made
            .ok_or(PasskeyError::Form("no credential was made"))?;
        if made.id.is_empty() || made.id.len() > ID_MAX {
            return Err(PasskeyError::Form("the identifier is empty or too long"));
        }
        Ok(Passkey {
            id: base64url::encode(made.id),
            key: key(&made.key)?,
            count: data.count,
            backup_eligible: data.flags.has(Flags::BACKUP_ELIGIBLE),
        })
    }

    /// The passkey after it was used (section 7.2), in answer to this challenge: with the count that it is
    /// to be kept with.
    pub fn asserted(
        &self,
        challenge: &[u8],
        passkey: &Passkey,
        answer: Assertion<'_>,
    ) -> Result<Passkey, PasskeyError> {
        self.client(answer.client_data, "webauthn.get", challenge)?;
        let data = self.authenticator(answer.authenticator_data)?;
        if data.made.is_some() {
            return Err(PasskeyError::Form("a credential was made, not used"));
        }
        if data.flags.has(Flags::BACKUP_ELIGIBLE) != passkey.backup_eligible {
            return Err(PasskeyError::Backup);
        }
        let hash = digest(&SHA256, answer.client_data);
        let signed = [answer.authenticator_data, hash.as_ref()].concat();
        if !passkey.key.verifies(&signed, answer.signature) {
            return Err(PasskeyError::Signature);
        }
        let counts = data.count > 0 || passkey.count > 0;
        if counts && data.count <= passkey.count {
            return Err(PasskeyError::Count);
        }
        Ok(Passkey {
            count: data.count,
            ..passkey.clone()
        })
    }

    /// What the browser saw (section 5.8.1): this ceremony, this challenge, at our own page.
    fn client(&self, json: &[u8], ceremony: &str, challenge: &[u8]) -> Result<(), PasskeyError> {
        if json.len() > PART_MAX {
            return Err(PasskeyError::Form("the client data are too long"));
        }
        let members = members::object(json);
        let members = members.ok_or(PasskeyError::Form("the client data are no JSON object"))?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if text("type") != Some(ceremony) {
            return Err(PasskeyError::Form("the answer is to another ceremony"));
        }
        let answered = text("challenge")
            .and_then(base64url::decode)
            .unwrap_or_default();
        if challenge.is_empty() || verify_slices_are_equal(&answered, challenge).is_err() {
            return Err(PasskeyError::Challenge);
        }
        let framed = match members.get("crossOrigin") {
            None | Some(Value::Bool(false)) => members.contains_key("topOrigin"),
            Some(_) => true,
        };
        if text("origin") != Some(self.origin) || framed {
            return Err(PasskeyError::Origin);
        }
        Ok(())
    }

    /// What the authenticator saw (section 6.1): our domain, and somebody who was verified.
    fn authenticator<'d>(&self, bytes: &'d [u8]) -> Result<AuthenticatorData<'d>, PasskeyError> {
        if bytes.len() > PART_MAX {
            return Err(PasskeyError::Form("the authenticator data are too long"));
        }
        let data = AuthenticatorData::read(bytes);
        let data = data.ok_or(PasskeyError::Form("the authenticator data cannot be read"))?;
        let ours = digest(&SHA256, self.id.as_bytes());
        if data.party != ours.as_ref() {
            return Err(PasskeyError::Party);
        }
        if !data.flags.has(Flags::PRESENT) || !data.flags.has(Flags::VERIFIED) {
            return Err(PasskeyError::Verification);
        }
        if data.flags.has(Flags::BACKED_UP) && !data.flags.has(Flags::BACKUP_ELIGIBLE) {
            return Err(PasskeyError::Backup);
        }
        Ok(data)
    }
}

impl PasskeyKey {
    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let bytes = |text: &str| base64url::decode(text).unwrap_or_default();
        match self {
            PasskeyKey::EdDsa { x } => {
                let key = UnparsedPublicKey::new(&ED25519, bytes(x));
                key.verify(signed, signature).is_ok()
            }
            PasskeyKey::Es256 { x, y } => {
                let point = [&[4u8], bytes(x).as_slice(), &bytes(y)].concat();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
                key.verify(signed, signature).is_ok()
            }
            PasskeyKey::Rs256 { n, e } => {
                let (n, e) = (bytes(n), bytes(e));
                let key = RsaPublicKeyComponents { n: &n, e: &e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
                    .is_ok()
            }
        }
    }
}

/// The public key of a COSE key (RFC 9053, section 7) of one of the algorithms that were asked for.
fn key(cose: &Item<'_>) -> Result<PasskeyKey, PasskeyError> {
    const KIND: i64 = 1;
    const ALGORITHM: i64 = 3;
    let number = |label: i64| match cose.numbered(label) {
        Some(Item::Number(number)) => Some(*number),
        _ => None,
    };
    let text = |label: i64, length: usize| match cose.numbered(label) {
        Some(Item::Bytes(bytes)) if bytes.len() == length || length == 0 => {
            Ok(base64url::encode(bytes))
        }
        _ => Err(PasskeyError::Algorithm),
    };
    match (number(KIND), number(ALGORITHM), number(-1)) {
        (Some(1), Some(-8), Some(6)) => Ok(PasskeyKey::EdDsa { x: text(-2, 32)? }),
        (Some(2), Some(-7), Some(1)) => Ok(PasskeyKey::Es256 {
            x: text(-2, 32)?,
            y: text(-3, 32)?,
        }),
        (Some(3), Some(-257), None) => Ok(PasskeyKey::Rs256 {
            n: text(-1, 0)?,
            e: text(-2, 0)?,
        }),
        _ => Err(PasskeyError::Algorithm),
    }
}

#[cfg(test)]
mod tests;
