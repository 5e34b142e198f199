//! The body of a successful answer of KMS or OOS, to a question for one value or for several: the first
//! byte chooses which.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloud::{Batching, KmsBatching, Lookup, Subject};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else { return };
    let choice = choice.wrapping_sub(b'0') % 5;
    if choice > 2 {
        return several(choice == 3, body);
    }
    let (name, region) = ("db".to_owned(), "cn-hangzhou".to_owned());
    let subject = match choice {
        0 => Subject::KmsSecret { name, version_id: None, version_stage: None },
        1 => Subject::OosSecretParameter { name, version: None, region },
        _ => Subject::OosParameter { name, region },
    };
    let Some(value) = subject.read(body) else { return };
    assert!(value.len() <= 64 * 1024, "the room of a file in the mount");
    let shown = format!("{value:?}");
    assert!(
        value.len() < 16 || !shown.as_bytes().windows(value.len()).any(|w| w == value.expose())
    );

    // The same answer read without types. What is no object, or is not read in full, is left out.
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return };
    let field = if choice == 0 { &answer["SecretData"] } else { &answer["Parameter"]["Value"] };
    let Some(text) = field.as_str() else { return };
    let expected = match answer["SecretDataType"].as_str() {
        Some("binary") if choice == 0 => STANDARD.decode(text).expect("valid base64"),
        _ => text.as_bytes().to_vec(),
    };
    assert!(value.expose() == expected, "the value is exactly what the answer says");
});

/// Each value stands under the name that it was asked for by, and under no other.
fn several(kms: bool, body: &[u8]) {
    let names = ["db", "a", "b"];
    let lookups = names.map(|name| {
        let (name, region) = (name.to_owned(), "cn-hangzhou".to_owned());
        let subject = match kms {
            true => Subject::KmsSecret { name, version_id: None, version_stage: None },
            false => Subject::OosSecretParameter { name, version: None, region },
        };
        Lookup { endpoint: "kms.cn-hangzhou.aliyuncs.com".to_owned(), subject, assume: None }
    });
    let batching = Batching { kms: KmsBatching::Shared, oos: true };
    let Some(values) = batching.read(&lookups.each_ref(), body) else { return };
    assert_eq!(values.len(), names.len());
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return };
    let (list, name, value) = match kms {
        true => ("SecretValues", "SecretName", "SecretData"),
        false => ("Parameters", "Name", "Value"),
    };
    for (asked, got) in names.iter().zip(&values) {
        let parts = answer[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_it: Vec<&Value> = parts.iter().filter(|part| part[name] == *asked).collect();
        let Some(got) = got else { continue };
        let [part] = of_it.as_slice() else { panic!("a value for a name that is not there once") };
        let Some(text) = part[value].as_str() else { continue };
        let expected = match part["SecretDataType"].as_str() {
            Some("binary") if kms => STANDARD.decode(text).expect("valid base64"),
            _ => text.as_bytes().to_vec(),
        };
        assert!(got.expose() == expected, "the value is exactly what the answer says");
    }
}
