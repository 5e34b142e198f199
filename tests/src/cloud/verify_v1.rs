//! Checks the older RPC signature (HMAC-SHA1 over the parameters).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::call::Call;
use super::refusal::Refusal;
use super::verify_v3::encode;

/// The signing parameters; nothing in them is believed yet.
pub(crate) struct ClaimV1 {
    pub(crate) access_key_id: String,
    pub(crate) nonce: String,
    signature: Vec<u8>,
}

impl ClaimV1 {
    /// `None` when the call has no `Signature` parameter.
    pub(crate) fn of(call: &Call) -> Result<Option<Self>, Refusal> {
        let Some(signature) = call.parameter("Signature") else {
            return Ok(None);
        };
        let incomplete = || {
            Refusal::new(
                400,
                "IncompleteSignature",
                "The request signature does not conform to Alibaba Cloud standards.",
            )
        };
        if call.parameter("SignatureMethod") != Some("HMAC-SHA1")
            || call.parameter("SignatureVersion") != Some("1.0")
        {
            return Err(incomplete());
        }
        let needed =
            |name| call.parameter(name).map(str::to_owned).ok_or_else(|| Refusal::missing(name));
        Ok(Some(Self {
            access_key_id: needed("AccessKeyId")?,
            nonce: needed("SignatureNonce")?,
            signature: STANDARD.decode(signature).map_err(|_| incomplete())?,
        }))
    }

    pub(crate) fn is_signed_with(&self, call: &Call, secret: &str) -> bool {
        let Ok(mac) = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()) else {
            return false;
        };
        mac.chain_update(string_to_sign(call)).verify_slice(&self.signature).is_ok()
    }
}

/// The older SDK looks for this in a refusal, to tell a wrong key from a wrong computation.
pub(crate) fn string_to_sign(call: &Call) -> String {
    let all = call.query.iter().chain(&call.form).filter(|(key, _)| key != "Signature");
    let mut pairs: Vec<(&str, &str)> =
        all.map(|(key, value)| (key.as_str(), value.as_str())).collect();
    pairs.sort_unstable();
    let query: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    format!("{}&%2F&{}", call.method, encode(&query.join("&")))
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, Method};

    use super::*;

    const NONCE: &str = "d410180a5abf7fe235dd9b74aca91fc0";

    fn call(method: Method, parameters: &[(&str, &str)], signature: &str) -> Call {
        let mut query = form_urlencoded::Serializer::new(String::from("/?"));
        for (key, value) in parameters {
            query.append_pair(key, value);
        }
        for (key, value) in [
            ("Format", "JSON"),
            ("Timestamp", "2025-01-02T03:04:05Z"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", NONCE),
            ("Signature", signature),
        ] {
            query.append_pair(key, value);
        }
        let uri = query.finish().replace("/?&", "/?").parse().unwrap();
        Call::new(method, &uri, HeaderMap::new(), hyper::body::Bytes::new(), true)
    }

    fn verified(call: &Call, secret: &str) -> bool {
        ClaimV1::of(call).unwrap().unwrap().is_signed_with(call, secret)
    }

    /// Vectors that were computed with the official SDKs.
    #[test]
    fn signatures_of_the_official_sdks_are_accepted() {
        let assume_role = [
            ("Version", "2015-04-01"),
            ("Action", "AssumeRole"),
            ("AccessKeyId", "LTAI5tEXAMPLEKEYID0001"),
            ("RoleArn", "acs:ram::1234567890123456:role/target-role"),
            ("RoleSessionName", "kms-agent"),
            ("DurationSeconds", "3600"),
        ];
        let static_key = "exampleSecretKey0123456789abcd";
        let good = call(Method::POST, &assume_role, "cPXt+1sHigPTBfKbOJ7r+7XseJk=");
        assert!(verified(&good, static_key));
        assert!(!verified(&good, "another key"));
        assert!(!verified(
            &call(Method::GET, &assume_role, "cPXt+1sHigPTBfKbOJ7r+7XseJk="),
            static_key
        ));

        let chained = [
            ("Version", "2015-04-01"),
            ("Action", "AssumeRole"),
            ("AccessKeyId", "STS.EXAMPLEtmpKeyId"),
            ("SecurityToken", "CAIS+exampleSecurityToken/with==chars"),
            ("RoleArn", "acs:ram::9876543210987654:role/target-role"),
            ("RoleSessionName", "kms-agent"),
            ("DurationSeconds", "3600"),
            ("ExternalId", "ext=1,2.3@a:/-_"),
        ];
        let chained_here: Vec<(&str, &str)> = chained
            .iter()
            .map(|(k, v)| {
                if *k == "RoleArn" {
                    (*k, "acs:ram::1234567890123456:role/target-role")
                } else {
                    (*k, *v)
                }
            })
            .collect();
        let temporary_key = "tmpSecret0123456789tmpSecret0123456789tmpS";
        assert!(verified(
            &call(Method::POST, &chained_here, "pphipRPfNULdIr7wvKo/ZBDylIQ="),
            temporary_key
        ));
        assert!(!verified(
            &call(Method::POST, &chained, "pphipRPfNULdIr7wvKo/ZBDylIQ="),
            temporary_key
        ));

        let secret = [
            ("Version", "2016-01-20"),
            ("Action", "GetSecretValue"),
            ("AccessKeyId", "LTAI5tEXAMPLEKEYID0001"),
            ("SecretName", "app/db secret*~+密"),
            ("VersionStage", "ACSCurrent"),
        ];
        assert!(verified(&call(Method::GET, &secret, "Zb593zxLDpJGNOkzTg67t2UgJUA="), static_key));
    }
}
