//! The body of a successful answer of KMS or OOS: the first byte chooses which.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloud::Subject;
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else { return };
    let (name, region) = ("db".to_owned(), "cn-hangzhou".to_owned());
    let subject = match choice % 3 {
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
    let field = if choice % 3 == 0 { &answer["SecretData"] } else { &answer["Parameter"]["Value"] };
    let Some(text) = field.as_str() else { return };
    let expected = match answer["SecretDataType"].as_str() {
        Some("binary") if choice % 3 == 0 => STANDARD.decode(text).expect("valid base64"),
        _ => text.as_bytes().to_vec(),
    };
    assert!(value.expose() == expected, "the value is exactly what the answer says");
});
