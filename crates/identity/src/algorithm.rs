//! The signature algorithms a token may use. There is no `none` and no HMAC to choose by mistake:
//! a verifier that holds only public keys has no use for either.

use std::fmt;

/// One signature algorithm of RFC 7518 or RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Every algorithm there is.
    pub const ALL: [Algorithm; 4] = [
        Algorithm::Es256,
        Algorithm::EdDsa,
        Algorithm::Ps256,
        Algorithm::Rs256,
    ];

    /// The algorithm with this exact registered name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Algorithm::Es256),
            // RFC 9864 gave the one curve we accept a name of its own.
            "EdDSA" | "Ed25519" => Some(Algorithm::EdDsa),
            "PS256" => Some(Algorithm::Ps256),
            "RS256" => Some(Algorithm::Rs256),
            _ => None,
        }
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::EdDsa => "EdDSA",
            Algorithm::Es256 => "ES256",
            Algorithm::Ps256 => "PS256",
            Algorithm::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_algorithm_and_nothing_else_does() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
        }
        for other in [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "ES384", "ES512",
            "ES256K", "RS384", "RS512", "PS384", "PS512", "Ed448", "es256", "ES256 ", "RSA-OAEP",
            "dir", "A128KW",
        ] {
            assert_eq!(Algorithm::named(other), None, "`{other}`");
        }
    }
}
