//! Known answers: the official documentation's own example, and what the official SDKs compute.

use super::{Api, Stamp, authorization, request};
use crate::canonical;
use crate::crypto::sha256_hex;
use crate::keys::Credentials;
use crate::kms::GET_SECRET_VALUE;
use crate::kms_batch::{self, AskedSecret, BATCH_GET_SECRET_VALUE};
use crate::lookup::{Lookup, Subject};
use crate::oos::{GET_SECRET_PARAMETER, secret_parameters};
use crate::oos_batch::{self, GET_SECRET_PARAMETERS};
use crate::sts::ASSUME_ROLE;

type Headers<'a> = Vec<(&'a str, &'a [u8])>;

const DATE: &str = "2025-01-02T03:04:05Z";
const NONCE: &str = "d410180a5abf7fe235dd9b74aca91fc0";
const STATIC: (&str, &[u8]) = ("LTAI5tEXAMPLEKEYID0001", b"exampleSecretKey0123456789abcd");
const TEMP: (&str, &[u8]) = ("STS.EXAMPLEtmpKeyId", b"tmpSecret0123456789tmpSecret0123456789tmpS");
const TEMP_TOKEN: &str = "CAIS+exampleSecurityToken/with==chars";

/// Hash of the canonical request, and the `Authorization` header.
fn sign(
    (id, secret): (&str, &[u8]),
    query: &str,
    body: &[u8],
    headers: Headers<'_>,
) -> (String, String) {
    let hash = sha256_hex(body);
    let mut headers = headers;
    headers.push(("x-acs-content-sha256", hash.as_bytes()));
    let canonical = canonical::request(query, &headers, &hash);
    (sha256_hex(&canonical.text), authorization(id, secret, &canonical))
}

fn common<'a>(host: &'a str, action: &'a str, version: &'a str) -> Headers<'a> {
    vec![
        ("host", host.as_bytes()),
        ("x-acs-action", action.as_bytes()),
        ("x-acs-date", DATE.as_bytes()),
        ("x-acs-signature-nonce", NONCE.as_bytes()),
        ("x-acs-version", version.as_bytes()),
    ]
}

/// The `Authorization` header that a whole request gets with temporary credentials.
fn signed(api: Api, host: &str, parameters: &[(&str, &str)]) -> (String, String) {
    let (id, secret) = TEMP;
    let credentials = Credentials::new(
        id.to_owned(),
        secret.to_vec().into(),
        Some(TEMP_TOKEN.as_bytes().to_vec().into()),
        String::from("acs:ram::1:role/a/b"),
        None,
    );
    let stamp = Stamp { date: DATE.to_owned(), nonce: NONCE.to_owned() };
    let request = request(api, host, parameters, &credentials, &stamp).unwrap();
    assert!(request.body.is_none());
    (
        request.target.trim_start_matches("/?").to_owned(),
        request.headers["authorization"].to_str().unwrap().to_owned(),
    )
}

const TEMP_PREFIX: &str = "ACS3-HMAC-SHA256 Credential=STS.EXAMPLEtmpKeyId,SignedHeaders=host;\
    x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;\
    x-acs-signature-nonce;x-acs-version,Signature=";

#[test]
fn the_documentations_own_example_is_reproduced() {
    let query = canonical::query(&[
        ("RegionId", "cn-shanghai"),
        ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
    ]);
    let headers: Headers<'_> = vec![
        ("x-acs-version", b"2014-05-26"),
        ("x-acs-signature-nonce", b"3156853299f313e23d1673dc12e1703d"),
        ("x-acs-date", b"2023-10-26T10:22:32Z"),
        ("x-acs-action", b"RunInstances"),
        ("host", b"ecs.cn-shanghai.aliyuncs.com"),
    ];
    let (hash, header) = sign(("YourAccessKeyId", b"YourAccessKeySecret"), &query, b"", headers);
    assert_eq!(hash, "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
    assert_eq!(
        header,
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
         x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=\
         06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    );
}

#[test]
fn awkward_characters_in_a_secret_name_are_signed_as_the_sdk_does() {
    let query = canonical::query(&[
        ("SecretName", "app/db secret*~+密"),
        ("VersionStage", "ACSCurrent"),
        ("FetchExtendedConfig", "true"),
    ]);
    let headers = common("kms-vpc.cn-hangzhou.aliyuncs.com", "GetSecretValue", "2016-01-20");
    let (hash, header) = sign(STATIC, &query, b"", headers);
    assert_eq!(hash, "3f8e4589b8d40d6ff58ed40787e5498d109c34e215f0f4e8304455a35293db41");
    let signature = "bb0ca342faa54a81a8a5a0b93680d854657ae4004dbd9daa899319167baddafb";
    assert!(header.ends_with(signature), "{header}");
}

#[test]
fn a_kms_request_with_temporary_credentials_is_signed_as_the_sdk_does() {
    let name = "acs:kms:cn-hangzhou:1234567890123456:secret/app/dev/secret-1";
    let parameters = crate::kms::parameters(name, None, None);
    let (query, header) = signed(GET_SECRET_VALUE, "kms.cn-hangzhou.aliyuncs.com", &parameters);
    assert_eq!(
        query,
        "SecretName=acs%3Akms%3Acn-hangzhou%3A1234567890123456%3Asecret%2Fapp%2Fdev%2Fsecret-1"
    );
    let signature = "0bc81abd50ea4b5ac82f8ff70641d4dccfab562c9123a0538cbbcaf5ffe75e14";
    assert_eq!(header, format!("{TEMP_PREFIX}{signature}"));
}

#[test]
fn an_oos_request_is_signed_as_the_sdk_does() {
    let parameters = secret_parameters("/prod/db/password", None, "cn-hangzhou");
    let (query, header) =
        signed(GET_SECRET_PARAMETER, "oos-vpc.cn-hangzhou.aliyuncs.com", &parameters);
    assert_eq!(query, "Name=%2Fprod%2Fdb%2Fpassword&RegionId=cn-hangzhou&WithDecryption=true");
    let signature = "c73c243abbd74c4a7cdd9c22cd7be6fe46c0bc451b100499438411ded7271b3a";
    assert_eq!(header, format!("{TEMP_PREFIX}{signature}"));
}

#[test]
fn several_secrets_in_one_request_are_signed_as_the_sdk_does() {
    let gateway = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";
    let lookups = ["shop/db", "shop/tls-key"].map(|name| {
        let subject =
            Subject::KmsSecret { name: name.to_owned(), version_id: None, version_stage: None };
        Lookup { endpoint: gateway.to_owned(), subject, assume: None }
    });
    let asked: Vec<_> = lookups.iter().filter_map(AskedSecret::of).collect();
    let list = kms_batch::list(&asked);
    let (_, header) = signed(BATCH_GET_SECRET_VALUE, gateway, &kms_batch::parameters(&list));
    let signature = "dd51b421bba302cfab00ad1097329c4a3a1450331a9a35e75a2b832115a7c1ce";
    assert_eq!(header, format!("{TEMP_PREFIX}{signature}"));

    let list = r#"[{"SecretName":"acs:kms:cn-hangzhou:1234567890123456:secret/app/dev/secret-1"},{"FetchExtendedConfig":"true","SecretName":"secret001","VersionId":"v1"}]"#;
    let host = "kms.cn-hangzhou.aliyuncs.com";
    let (_, header) = signed(BATCH_GET_SECRET_VALUE, host, &kms_batch::parameters(list));
    let signature = "2f2aadcfb0a13eec3febe354ce76f7e0f382d2f24fe61cdc9f621a9dd4cb36f6";
    assert_eq!(header, format!("{TEMP_PREFIX}{signature}"));

    let list = r#"[{"SecretName":"app/db secret*~+密"},{"SecretName":"secret001","VersionStage":"ACSPrevious"}]"#;
    let query = canonical::query(&kms_batch::parameters(list));
    let headers = common(host, "BatchGetSecretValue", "2016-01-20");
    let (hash, header) = sign(STATIC, &query, b"", headers);
    assert_eq!(hash, "690c3356cb10dfcb69041b5d02c87c8d8e216c68016b944ec1022b3e65bde521");
    let signature = "0d558a239b0893ee7cb475cee7e1c007ff7d8c79a91c7d90753bd7c3da615dc9";
    assert!(header.ends_with(signature), "{header}");
}

/// The SDK writes `True`, which is signed as it stands.
#[test]
fn several_parameters_in_one_request_are_signed_as_the_sdk_does() {
    let list = oos_batch::list(&["/prod/db/password", "api-token"]);
    let host = "oos-vpc.cn-hangzhou.aliyuncs.com";
    let mut parameters = oos_batch::parameters(&list, "cn-hangzhou");
    for (name, value) in &mut parameters {
        if *name == "WithDecryption" {
            *value = "True";
        }
    }
    let (query, header) = signed(GET_SECRET_PARAMETERS, host, &parameters);
    assert_eq!(
        query,
        "Names=%5B%22%2Fprod%2Fdb%2Fpassword%22%2C%22api-token%22%5D&RegionId=cn-hangzhou&WithDecryption=True"
    );
    let signature = "4bb59323db3ccd600f7f5fbca0be093cd23b2a0997ac836ccbf2accac754c045";
    assert_eq!(header, format!("{TEMP_PREFIX}{signature}"));
}

#[test]
fn a_form_body_is_part_of_the_signature() {
    let mut headers = common("kms.cn-hangzhou.aliyuncs.com", "GetSecretValue", "2016-01-20");
    headers.push(("content-type", b"application/x-www-form-urlencoded"));
    let query = canonical::query(&[("SecretName", "secret001")]);
    let (hash, header) = sign(STATIC, &query, b"Recipient=abc", headers);
    assert_eq!(hash, "b37972619f4505db82c6393ad1096030c2732cda41f642adb4bd0a66ea01918b");
    let signature = "1e73e548f6459ef7a74af78aa209adcc99dfb551e0c43ba461a0f468711a39c2";
    assert!(header.ends_with(signature), "{header}");
}

#[test]
fn an_empty_query_is_an_empty_line() {
    let headers = common("sts.aliyuncs.com", "GetCallerIdentity", "2015-04-01");
    let (hash, header) = sign(STATIC, "", b"", headers);
    assert_eq!(hash, "ec752bb26b37589844dad4abb031b5f48d2398ce4ba309a6d73e1b65815de7f4");
    let signature = "df00f1930251e11fde807bdd6ab86801a4e7b1376e4f12db5a4c49b58d9a529b";
    assert!(header.ends_with(signature), "{header}");
}

#[test]
fn a_request_with_keys_that_have_no_token_is_signed_as_the_sdk_does() {
    let (id, secret) = STATIC;
    let keys = Credentials::new(id.to_owned(), secret.to_vec().into(), None, String::new(), None);
    let api = Api { action: "GetCallerIdentity", version: "2015-04-01" };
    let stamp = Stamp { date: DATE.to_owned(), nonce: NONCE.to_owned() };
    let request = request(api, "sts.aliyuncs.com", &[], &keys, &stamp).unwrap();
    let header = request.headers["authorization"].to_str().unwrap();
    let signature = "df00f1930251e11fde807bdd6ab86801a4e7b1376e4f12db5a4c49b58d9a529b";
    assert!(header.ends_with(signature), "{header}");
    assert!(!request.headers.contains_key("x-acs-security-token"));
}

#[test]
fn a_role_chain_with_external_id_is_signed_as_the_sdk_does() {
    let parameters = [
        ("RoleArn", "acs:ram::9876543210987654:role/target-role"),
        ("RoleSessionName", "kms-agent"),
        ("DurationSeconds", "3600"),
        ("ExternalId", "ext=1,2.3@a:/-_"),
    ];
    let (_, header) = signed(ASSUME_ROLE, "sts-vpc.cn-hangzhou.aliyuncs.com", &parameters);
    let signature = "41b32dfa972444d90f9a7a685eeec01b324e740d7c0c9df97db2c31f79def4a9";
    assert_eq!(header, format!("{TEMP_PREFIX}{signature}"));
}

/// The Python SDK signs every header that it sends, `accept` and `user-agent` too.
#[test]
fn requests_captured_from_the_python_sdk_have_the_same_signature() {
    let capture = |host, action, version, provider: &'static [u8]| {
        let mut headers = common(host, action, version);
        headers.extend([
            ("accept", b"application/json".as_slice()),
            ("user-agent", b"test-agent"),
            ("x-acs-credentials-provider", provider),
        ]);
        headers
    };
    let form: (&str, &[u8]) = ("content-type", b"application/x-www-form-urlencoded");
    let temporary: [(&str, &[u8]); 2] = [
        ("x-acs-accesskey-id", TEMP.0.as_bytes()),
        ("x-acs-security-token", TEMP_TOKEN.as_bytes()),
    ];

    let host = "kms-vpc.cn-hangzhou.aliyuncs.com";
    let mut kms = capture(host, "GetSecretValue", "2016-01-20", b"static_ak");
    kms.push(form);
    let query = canonical::query(&[
        ("FetchExtendedConfig", "True"),
        ("SecretName", "app/db secret*~+密"),
        ("VersionStage", "ACSCurrent"),
    ]);
    let (_, header) = sign(STATIC, &query, b"", kms);
    let signature = "25f53e87458d15f47456c36f237cbcc63647a74c66362e59e19c1fb310dcd9ab";
    assert!(header.ends_with(signature), "{header}");

    let host = "kms.cn-hangzhou.aliyuncs.com";
    let mut kms = capture(host, "GetSecretValue", "2016-01-20", b"static_sts");
    kms.push(form);
    kms.extend(temporary);
    let query = canonical::query(&[("SecretName", "secret001")]);
    let (_, header) = sign(TEMP, &query, b"", kms);
    let signature = "2d7a039cabe07bc0c7a42d45031a15f47ff8e0adef5438a26c49cfdb198a1871";
    assert!(header.ends_with(signature), "{header}");

    let host = "oos-vpc.cn-hangzhou.aliyuncs.com";
    let mut oos = capture(host, "GetSecretParameter", "2019-06-01", b"static_sts");
    oos.extend(temporary);
    let query = canonical::query(&[("Name", "/prod/db/password"), ("WithDecryption", "True")]);
    let (_, header) = sign(TEMP, &query, b"", oos);
    let signature = "17da76e0c7ef29891ef5942bdc8ac50b06110c2e5551795c596e907006ec4bee";
    assert!(header.ends_with(signature), "{header}");

    let host = "sts.cn-hangzhou.aliyuncs.com";
    let sts = capture(host, "AssumeRole", "2015-04-01", b"static_ak");
    let query = canonical::query(&[
        ("RoleArn", "acs:ram::1234567890123456:role/demo"),
        ("RoleSessionName", "sess"),
        ("DurationSeconds", "3600"),
    ]);
    let (_, header) = sign(STATIC, &query, b"", sts);
    let signature = "5f876a908bff0f07636d61e03d623ceb618e71605700c764b27fede6013bb9d3";
    assert!(header.ends_with(signature), "{header}");
}
