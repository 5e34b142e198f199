//! Signs ServiceAccount tokens as an API server does, for runs without a cluster.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::jwt::{Key, KeySet};

#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error("making a signing key: {0}")]
    Generate(#[source] rcgen::Error),
    #[error("reading a signing key: neither an EC P-256 nor an RSA private key in PKCS#8 PEM")]
    Unreadable,
    #[error("signing a token")]
    Sign,
}

/// A token signing key, ES256 or RS256.
pub struct Issuer {
    key: SigningKey,
    public: Key,
    pem: String,
}

enum SigningKey {
    Ec(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

/// What a ServiceAccount token says.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    pub issuer: String,
    pub audiences: Vec<String>,
    pub namespace: String,
    pub service_account: String,
    pub pod: String,
    pub issued: OffsetDateTime,
    pub lifetime_seconds: i64,
}

impl Issuer {
    pub fn generate() -> Result<Self, IssuerError> {
        let key = rcgen::KeyPair::generate().map_err(IssuerError::Generate)?;
        Self::from_pem(&key.serialize_pem())
    }

    pub fn from_pem(pem: &str) -> Result<Self, IssuerError> {
        let der =
            rcgen::KeyPair::from_pem(pem).map_err(|_| IssuerError::Unreadable)?.serialize_der();
        let random = SystemRandom::new();
        let (key, mut public) = if let Ok(key) =
            EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
        {
            let public = ec_key(key.public_key().as_ref()).ok_or(IssuerError::Unreadable)?;
            (SigningKey::Ec(Box::new(key)), public)
        } else {
            let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| IssuerError::Unreadable)?;
            let public = rsa_key(&key);
            (SigningKey::Rsa(Box::new(key)), public)
        };
        public.kid = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(public.material())));
        Ok(Self { key, public, pem: pem.to_owned() })
    }

    pub fn key_pem(&self) -> &str {
        &self.pem
    }

    pub fn key_set(&self) -> KeySet {
        KeySet::of(self.public.clone())
    }

    pub fn mint(&self, request: &TokenRequest) -> Result<String, IssuerError> {
        let issued = request.issued.unix_timestamp();
        let claims = json!({
            "aud": request.audiences,
            "exp": issued.saturating_add(request.lifetime_seconds),
            "iat": issued,
            "iss": request.issuer,
            "jti": random_uuid(),
            "kubernetes.io": {
                "namespace": request.namespace,
                "pod": { "name": request.pod, "uid": random_uuid() },
                "serviceaccount": { "name": request.service_account, "uid": random_uuid() },
            },
            "nbf": issued,
            "sub": format!("system:serviceaccount:{}:{}", request.namespace, request.service_account),
        });
        let header = json!({ "alg": self.public.alg, "kid": self.public.kid });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl TokenRequest {
    /// An hour for `sts.aliyuncs.com`, from now.
    pub fn new(issuer: &str, namespace: &str, service_account: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audiences: vec!["sts.aliyuncs.com".to_owned()],
            namespace: namespace.to_owned(),
            service_account: service_account.to_owned(),
            pod: format!("{service_account}-0"),
            issued: OffsetDateTime::now_utc(),
            lifetime_seconds: 3600,
        }
    }
}

impl SigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IssuerError> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| IssuerError::Sign),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| IssuerError::Sign)?;
                Ok(signature)
            }
        }
    }
}

/// From the uncompressed point `04 || X || Y`.
fn ec_key(point: &[u8]) -> Option<Key> {
    let (x, y) = (point.get(1..33)?, point.get(33..65)?);
    Some(Key {
        crv: Some("P-256".to_owned()),
        x: Some(URL_SAFE_NO_PAD.encode(x)),
        y: Some(URL_SAFE_NO_PAD.encode(y)),
        ..blank("EC", "ES256")
    })
}

fn rsa_key(key: &RsaKeyPair) -> Key {
    let public: PublicKeyComponents<Vec<u8>> = key.public().into();
    Key {
        n: Some(URL_SAFE_NO_PAD.encode(public.n)),
        e: Some(URL_SAFE_NO_PAD.encode(public.e)),
        ..blank("RSA", "RS256")
    }
}

fn blank(kty: &str, alg: &str) -> Key {
    Key {
        kty: kty.to_owned(),
        kid: None,
        alg: Some(alg.to_owned()),
        usage: Some("sig".to_owned()),
        n: None,
        e: None,
        crv: None,
        x: None,
        y: None,
    }
}

/// Upper and lower case differ between the users of it, the shape does not.
pub(crate) fn random_uuid() -> String {
    let [a, b, c, d, e]: [u64; 5] = [u64::MAX >> 32, 0xffff, 0x0fff, 0x0fff, u64::MAX >> 16]
        .map(|mask| fastrand::u64(..) & mask);
    format!("{a:08x}-{b:04x}-4{c:03x}-8{d:03x}-{e:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key for this test alone, made by `openssl genpkey -algorithm RSA`.
    const RSA_PEM: &str = include_str!("../../fixtures/rs256.pem");

    fn minted_and_verified(issuer: &Issuer) {
        let token =
            issuer.mint(&TokenRequest::new("https://issuer.example", "shop", "checkout")).unwrap();
        let claims = issuer.key_set().verify(&token).unwrap();
        assert_eq!(claims.sub, "system:serviceaccount:shop:checkout");
        assert_eq!(claims.audiences(), ["sts.aliyuncs.com"]);
        assert_eq!(claims.exp - claims.iat.unwrap(), 3600);
        let other = Issuer::generate().unwrap();
        assert!(other.key_set().verify(&token).is_err());
    }

    #[test]
    fn tokens_verify_with_the_key_set_of_their_issuer_only() {
        minted_and_verified(&Issuer::generate().unwrap());
        minted_and_verified(&Issuer::from_pem(RSA_PEM).unwrap());
    }

    #[test]
    fn a_key_read_back_is_the_same_key() {
        let issuer = Issuer::generate().unwrap();
        let again = Issuer::from_pem(issuer.key_pem()).unwrap();
        assert_eq!(issuer.key_set().to_json(), again.key_set().to_json());
    }
}
