//! JSON Web Tokens as STS reads them: key sets, signatures, claims. RS256 and ES256 only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JWKS. Keys of types that are not known here stay in it and verify nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JwtError {
    NotThreeParts,
    Unreadable,
    Algorithm,
    Signature,
}

/// Claims whose signature has been checked.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    #[serde(default)]
    aud: Value,
    pub(crate) exp: i64,
    #[serde(default)]
    pub(crate) nbf: Option<i64>,
    #[serde(default)]
    pub(crate) iat: Option<i64>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

impl KeySet {
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    pub(crate) fn of(key: Key) -> Self {
        Self { keys: vec![key] }
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Claims, JwtError> {
        let (header, payload, signature) = parts(token)?;
        let header: Header = json_part(header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Unreadable)?;
        let signed = token.rsplit_once('.').ok_or(JwtError::NotThreeParts)?.0;
        if header.alg != "RS256" && header.alg != "ES256" {
            return Err(JwtError::Algorithm);
        }
        let known = |key: &&Key| header.kid.is_none() || key.kid.is_none() || key.kid == header.kid;
        let good = |key: &Key| key.verifies(&header.alg, signed.as_bytes(), &signature);
        if !self.keys.iter().filter(known).any(good) {
            return Err(JwtError::Signature);
        }
        json_part(payload)
    }
}

impl Key {
    /// What makes the key this key and no other.
    pub(crate) fn material(&self) -> String {
        [&self.n, &self.e, &self.x, &self.y]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(".")
    }

    fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match (algorithm, self.kty.as_str()) {
            ("RS256", "RSA") => {
                let (Some(n), Some(e)) = (decoded(self.n.as_deref()), decoded(self.e.as_deref()))
                else {
                    return false;
                };
                RsaPublicKeyComponents { n, e }
                    .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                    .is_ok()
            }
            ("ES256", "EC") if self.crv.as_deref() == Some("P-256") => {
                let (Some(x), Some(y)) = (decoded(self.x.as_deref()), decoded(self.y.as_deref()))
                else {
                    return false;
                };
                let point: Vec<u8> = [0x04].into_iter().chain(x).chain(y).collect();
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            _ => false,
        }
    }
}

impl Claims {
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match &self.aud {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// The issuer that a token claims, before anything is checked.
pub(crate) fn claimed_issuer(token: &str) -> Result<String, JwtError> {
    let (_, payload, _) = parts(token)?;
    Ok(json_part::<Issuer>(payload)?.iss)
}

fn parts(token: &str) -> Result<(&str, &str, &str), JwtError> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok((header, payload, signature)),
        _ => Err(JwtError::NotThreeParts),
    }
}

fn json_part<T: for<'a> Deserialize<'a>>(part: &str) -> Result<T, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Unreadable)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Unreadable)
}

fn decoded(field: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(field?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.2.
    const RS256_KEY: &str = r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#;
    const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    /// RFC 7515, appendix A.3.
    const ES256_KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    /// The published tokens have no `sub`, so a good signature ends in unreadable claims and a bad
    /// one in `Signature`.
    #[test]
    fn the_published_examples_verify_with_their_own_key_only() {
        let rs256 = KeySet::from_json(RS256_KEY.as_bytes()).unwrap();
        let es256 = KeySet::from_json(ES256_KEY.as_bytes()).unwrap();
        assert_eq!(rs256.verify(RS256).unwrap_err(), JwtError::Unreadable);
        assert_eq!(es256.verify(ES256).unwrap_err(), JwtError::Unreadable);
        assert_eq!(rs256.verify(ES256).unwrap_err(), JwtError::Signature);
        assert_eq!(es256.verify(RS256).unwrap_err(), JwtError::Signature);
        let forged = RS256.replace("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Vm");
        assert_eq!(rs256.verify(&forged).unwrap_err(), JwtError::Signature);
        assert_eq!(claimed_issuer(ES256).unwrap(), "joe");
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
            URL_SAFE_NO_PAD.encode("{}")
        );
        assert_eq!(KeySet::default().verify(&none).unwrap_err(), JwtError::Algorithm);
        assert_eq!(KeySet::default().verify("a.b").unwrap_err(), JwtError::NotThreeParts);
        assert_eq!(KeySet::default().verify("!.!.!").unwrap_err(), JwtError::Unreadable);
    }
}
