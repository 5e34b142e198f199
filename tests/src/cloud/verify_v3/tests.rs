use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};

use super::*;

const STATIC: (&str, &str) = ("LTAI5tEXAMPLEKEYID0001", "exampleSecretKey0123456789abcd");
const TEMP: (&str, &str) = ("STS.EXAMPLEtmpKeyId", "tmpSecret0123456789tmpSecret0123456789tmpS");
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const VERSION_KMS: &str = "2016-01-20";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

struct Vector {
    key: (&'static str, &'static str),
    host: &'static str,
    action: &'static str,
    version: &'static str,
    query: &'static [(&'static str, &'static str)],
    extra: &'static [(&'static str, &'static str)],
    body: &'static str,
    signature: &'static str,
}

impl Vector {
    fn call(&self) -> Call {
        let body_hash = hex(&Sha256::digest(self.body));
        let mut headers = vec![
            ("host", self.host),
            ("x-acs-action", self.action),
            ("x-acs-version", self.version),
            ("x-acs-date", "2025-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "d410180a5abf7fe235dd9b74aca91fc0"),
            ("x-acs-content-sha256", &body_hash),
        ];
        if self.key == TEMP {
            headers.push(("x-acs-accesskey-id", TEMP.0));
            headers.push(("x-acs-security-token", "CAIS+exampleSecurityToken/with==chars"));
        }
        headers.extend(self.extra);
        call(self.key.0, &headers, self.query, self.body, self.signature)
    }

    fn holds(&self, call: &Call) -> bool {
        ClaimV3::of(call).unwrap().unwrap().is_signed_with(call, self.key.1)
    }
}

fn call(
    key_id: &str,
    headers: &[(&str, &str)],
    query: &[(&str, &str)],
    body: &str,
    signature: &str,
) -> Call {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let authorization = format!(
        "ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={},Signature={signature}",
        names.join(";")
    );
    let mut map: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    map.insert("authorization", HeaderValue::from_str(&authorization).unwrap());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let uri = format!("/?{query}").parse().unwrap();
    Call::new(Method::POST, &uri, map, Bytes::copy_from_slice(body.as_bytes()), true)
}

/// The example of the official documentation.
#[test]
fn the_documented_example_is_accepted() {
    let query = [
        ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
        ("RegionId", "cn-shanghai"),
    ];
    let headers = [
        ("host", "ecs.cn-shanghai.aliyuncs.com"),
        ("x-acs-action", "RunInstances"),
        ("x-acs-content-sha256", EMPTY),
        ("x-acs-date", "2023-10-26T10:22:32Z"),
        ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
        ("x-acs-version", "2014-05-26"),
    ];
    let signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
    let call = call("YourAccessKeyId", &headers, &query, "", signature);
    let claim = ClaimV3::of(&call).unwrap().unwrap();
    assert_eq!(claim.access_key_id, "YourAccessKeyId");
    assert!(claim.is_signed_with(&call, "YourAccessKeySecret"));
    assert!(!claim.is_signed_with(&call, "YourAccessKeySecreT"));
}

/// Vectors computed with the official SDKs' signing functions, and captures of whole SDK clients
/// (those sign `accept` and `user-agent` too).
#[test]
fn signatures_of_the_official_sdks_are_accepted_and_changed_calls_refused() {
    for vector in vectors() {
        let call = vector.call();
        assert!(vector.holds(&call), "{} {} {}", vector.host, vector.action, vector.signature);
        for changed in [
            Vector { host: "kms.cn-beijing.aliyuncs.com", ..vector },
            Vector { action: "DeleteSecret", ..vector },
            Vector { query: &[("SecretName", "another")], ..vector },
        ] {
            assert!(!changed.holds(&changed.call()));
        }
    }
}

#[test]
fn a_body_that_does_not_match_its_hash_is_refused() {
    let vector = vectors().into_iter().find(|vector| !vector.body.is_empty()).unwrap();
    let mut call = vector.call();
    assert!(vector.holds(&call));
    call.body = Bytes::from_static(b"Recipient=abd");
    assert!(!vector.holds(&call));
}

#[test]
fn headers_that_steer_the_call_must_be_signed() {
    let vector = vectors().into_iter().next().unwrap();
    let mut call = vector.call();
    call.headers.insert("x-acs-security-token", HeaderValue::from_static("unsigned"));
    assert_eq!(ClaimV3::of(&call).err().unwrap().code, "IncompleteSignature");
    for missing in REQUIRED {
        let mut call = vector.call();
        call.headers.remove(missing);
        assert_eq!(ClaimV3::of(&call).err().unwrap().code, "IncompleteSignature", "{missing}");
    }
    for broken in [
        "",
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 Credential=a",
        "ACS3-RSA-SHA256 Credential=a,SignedHeaders=host,Signature=b",
    ] {
        let mut call = vector.call();
        call.headers.insert("authorization", HeaderValue::from_static(broken));
        assert_eq!(ClaimV3::of(&call).err().unwrap().code, "IncompleteSignature", "{broken}");
    }
}

fn vectors() -> Vec<Vector> {
    const SDK: [(&str, &str); 3] = [
        ("accept", "application/json"),
        ("user-agent", "test-agent"),
        ("x-acs-credentials-provider", "static_sts"),
    ];
    vec![
        Vector {
            key: STATIC,
            host: "kms-vpc.cn-hangzhou.aliyuncs.com",
            action: "GetSecretValue",
            version: VERSION_KMS,
            query: &[
                ("SecretName", "app/db secret*~+密"),
                ("VersionStage", "ACSCurrent"),
                ("FetchExtendedConfig", "true"),
            ],
            extra: &[],
            body: "",
            signature: "bb0ca342faa54a81a8a5a0b93680d854657ae4004dbd9daa899319167baddafb",
        },
        Vector {
            key: TEMP,
            host: "kms.cn-hangzhou.aliyuncs.com",
            action: "GetSecretValue",
            version: VERSION_KMS,
            query: &[(
                "SecretName",
                "acs:kms:cn-hangzhou:1234567890123456:secret/app/dev/secret-1",
            )],
            extra: &[],
            body: "",
            signature: "0bc81abd50ea4b5ac82f8ff70641d4dccfab562c9123a0538cbbcaf5ffe75e14",
        },
        Vector {
            key: TEMP,
            host: "oos-vpc.cn-hangzhou.aliyuncs.com",
            action: "GetSecretParameter",
            version: "2019-06-01",
            query: &[
                ("Name", "/prod/db/password"),
                ("RegionId", "cn-hangzhou"),
                ("WithDecryption", "true"),
            ],
            extra: &[],
            body: "",
            signature: "c73c243abbd74c4a7cdd9c22cd7be6fe46c0bc451b100499438411ded7271b3a",
        },
        Vector {
            key: STATIC,
            host: "kms.cn-hangzhou.aliyuncs.com",
            action: "GetSecretValue",
            version: VERSION_KMS,
            query: &[("SecretName", "secret001")],
            extra: &[FORM],
            body: "Recipient=abc",
            signature: "1e73e548f6459ef7a74af78aa209adcc99dfb551e0c43ba461a0f468711a39c2",
        },
        Vector {
            key: STATIC,
            host: "sts.aliyuncs.com",
            action: "GetCallerIdentity",
            version: "2015-04-01",
            query: &[],
            extra: &[],
            body: "",
            signature: "df00f1930251e11fde807bdd6ab86801a4e7b1376e4f12db5a4c49b58d9a529b",
        },
        Vector {
            key: TEMP,
            host: "sts-vpc.cn-hangzhou.aliyuncs.com",
            action: "AssumeRole",
            version: "2015-04-01",
            query: &[
                ("DurationSeconds", "3600"),
                ("ExternalId", "ext=1,2.3@a:/-_"),
                ("RoleArn", "acs:ram::9876543210987654:role/target-role"),
                ("RoleSessionName", "kms-agent"),
            ],
            extra: &[],
            body: "",
            signature: "41b32dfa972444d90f9a7a685eeec01b324e740d7c0c9df97db2c31f79def4a9",
        },
        Vector {
            key: STATIC,
            host: "kms-vpc.cn-hangzhou.aliyuncs.com",
            action: "GetSecretValue",
            version: VERSION_KMS,
            query: &[
                ("FetchExtendedConfig", "True"),
                ("SecretName", "app/db secret*~+密"),
                ("VersionStage", "ACSCurrent"),
            ],
            extra: &[
                ("accept", "application/json"),
                ("user-agent", "test-agent"),
                ("x-acs-credentials-provider", "static_ak"),
                FORM,
            ],
            body: "",
            signature: "25f53e87458d15f47456c36f237cbcc63647a74c66362e59e19c1fb310dcd9ab",
        },
        Vector {
            key: TEMP,
            host: "kms.cn-hangzhou.aliyuncs.com",
            action: "GetSecretValue",
            version: VERSION_KMS,
            query: &[("SecretName", "secret001")],
            extra: &[
                ("accept", "application/json"),
                ("user-agent", "test-agent"),
                ("x-acs-credentials-provider", "static_sts"),
                FORM,
            ],
            body: "",
            signature: "2d7a039cabe07bc0c7a42d45031a15f47ff8e0adef5438a26c49cfdb198a1871",
        },
        Vector {
            key: TEMP,
            host: "oos-vpc.cn-hangzhou.aliyuncs.com",
            action: "GetSecretParameter",
            version: "2019-06-01",
            query: &[("Name", "/prod/db/password"), ("WithDecryption", "True")],
            extra: &SDK,
            body: "",
            signature: "17da76e0c7ef29891ef5942bdc8ac50b06110c2e5551795c596e907006ec4bee",
        },
        Vector {
            key: STATIC,
            host: "sts.cn-hangzhou.aliyuncs.com",
            action: "AssumeRole",
            version: "2015-04-01",
            query: &[
                ("RoleArn", "acs:ram::1234567890123456:role/demo"),
                ("RoleSessionName", "sess"),
                ("DurationSeconds", "3600"),
            ],
            extra: &[
                ("accept", "application/json"),
                ("user-agent", "test-agent"),
                ("x-acs-credentials-provider", "static_ak"),
            ],
            body: "",
            signature: "5f876a908bff0f07636d61e03d623ceb618e71605700c764b27fede6013bb9d3",
        },
    ]
}
