//! `pem_bundle`: the order, the newlines, and what is no block of the right kind.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use template::Template;

const CERT: &str = "-----BEGIN CERTIFICATE-----\nAAAA\nBBB=\n-----END CERTIFICATE-----";
const CHAIN: &str = "-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nDDDD\n-----END PRIVATE KEY-----";

fn bundle(certificate: &str, chain: &str, key: &str) -> Result<String, String> {
    let text = r#"{{ {"key": secret("key"), "chain": secret("chain"),
        "certificate": secret("certificate")} | pem_bundle }}"#;
    let values = HashMap::from([("certificate", certificate), ("chain", chain), ("key", key)]);
    let bytes = Template::parse(text).unwrap().render(|source| values.get(source).copied());
    bytes
        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
        .map_err(|error| error.fault.to_string())
}

#[test]
fn certificate_chain_and_key_follow_each_other_with_one_newline_each() {
    let expected = format!("{CERT}\n{CHAIN}\n{CHAIN}\n{KEY}\n");
    let two = format!("{CHAIN}\n\n\n{CHAIN}\r\n");
    let windows = CERT.replace('\n', "\r\n");
    let made = bundle(&format!("\n{windows}\n\n"), &two, &format!("  {KEY}\n")).unwrap();
    assert_eq!(made, expected);
    assert_eq!(bundle(CERT, CHAIN, KEY).unwrap(), format!("{CERT}\n{CHAIN}\n{KEY}\n"));
}

#[test]
fn line_ends_blanks_and_empty_lines_are_made_one_and_the_same() {
    let expected = format!("{CERT}\n{CHAIN}\n{CHAIN}\n{KEY}\n");
    let two = format!("{CHAIN}\n{CHAIN}");
    for change in [
        |text: &str| text.to_owned(),
        |text: &str| format!("{text}\n\n"),
        |text: &str| text.replace('\n', "\r\n"),
        |text: &str| format!("{}\r\n", text.replace('\n', " \r\n\t")),
        |text: &str| text.replace('\n', "\n\n"),
        |text: &str| format!("\u{feff}{text}"),
    ] {
        assert_eq!(bundle(&change(CERT), &change(&two), &change(KEY)).unwrap(), expected);
    }
    let with_headers = KEY
        .replace("PRIVATE", "RSA PRIVATE")
        .replace("\nDDDD", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nDDDD");
    let made = bundle(CERT, " \r\n", &format!("\n{}", with_headers.replace('\n', "\r\n")));
    assert_eq!(made.unwrap(), format!("{CERT}\n{with_headers}\n"));
}

#[test]
fn a_json_secret_with_these_keys_is_a_bundle_too() {
    let template = Template::parse("{{ secret(\"tls\") | pem_bundle }}").unwrap();
    let json = serde_json::json!({"certificate": CERT, "key": KEY}).to_string();
    let made = template.render(|_| Some(&json)).unwrap();
    assert_eq!(made.as_slice(), format!("{CERT}\n{KEY}\n").as_bytes());
    let json = serde_json::json!({"certificate": CERT, "chain": "", "key": null}).to_string();
    let made = template.render(|_| Some(&json)).unwrap();
    assert_eq!(made.as_slice(), format!("{CERT}\n").as_bytes());
    let json = serde_json::json!({"chain": CHAIN, "key": KEY}).to_string();
    let error = template.render(|_| Some(&json)).unwrap_err();
    assert_eq!(
        error.fault.to_string(),
        "key \"certificate\": it is missing, in the filter pem_bundle"
    );
}

#[test]
fn keys_of_every_kind_are_keys() {
    for key in [
        KEY.to_owned(),
        KEY.replace("PRIVATE", "RSA PRIVATE"),
        KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        format!(
            "-----BEGIN EC PARAMETERS-----\nBgg=\n-----END EC PARAMETERS-----\n{}",
            KEY.replace("PRIVATE", "EC PRIVATE")
        ),
        KEY.replace("PRIVATE", "RSA PRIVATE")
            .replace("\nDDDD", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nDDDD"),
    ] {
        assert!(bundle(CERT, CHAIN, &key).is_ok(), "{key}");
    }
}

#[test]
fn what_is_no_block_of_its_kind_is_refused_by_its_key() {
    let open = KEY.replace("-----END PRIVATE KEY-----", "");
    let csr = CERT.replace("CERTIFICATE", "CERTIFICATE REQUEST");
    let unended = CERT.replace("-----END CERTIFICATE-----", "");
    let other_end = CERT.replace("END CERTIFICATE", "END PRIVATE KEY");
    for (certificate, chain, key, words) in [
        ("", CHAIN, KEY, "key \"certificate\": it is empty"),
        ("CANARY", CHAIN, KEY, "key \"certificate\": it is not PEM"),
        (KEY, CHAIN, KEY, "key \"certificate\": a PEM block of it is a private key, and no"),
        (
            &format!("{CERT}\n{KEY}"),
            CHAIN,
            KEY,
            "key \"certificate\": a PEM block of it is a private",
        ),
        (CERT, KEY, KEY, "key \"chain\": a PEM block of it is a private key, and no certificate"),
        (CERT, &csr, KEY, "key \"chain\": a PEM block of it is no certificate"),
        (CERT, CHAIN, CERT, "key \"key\": a PEM block of it is a certificate, and no private"),
        (CERT, CHAIN, &csr, "key \"key\": a PEM block of it is no private key"),
        (CERT, CHAIN, &format!("{KEY}\n{CERT}"), "key \"key\": a PEM block of it is a certificate"),
        (&CERT.replace('\n', "\\n"), CHAIN, KEY, "its line breaks are missing, or written as \\n"),
        (&CERT.replace('\n', " "), CHAIN, KEY, "its line breaks are missing"),
        (&CERT.replace("BBB=", "BB"), CHAIN, KEY, "or a part of it"),
        (&format!("{unended}{CERT}"), CHAIN, KEY, "is not closed by its own"),
        (CERT, CHAIN, &open, "key \"key\": a PEM block of it is empty or is not closed"),
        (&other_end, CHAIN, KEY, "key \"certificate\": a PEM block of it is empty or"),
        (&CERT.replace("AAAA", "CANARY!"), CHAIN, KEY, "something else than base64"),
        (&CERT.replace("AAAA\nBBB=\n", ""), CHAIN, KEY, "is empty or is not closed"),
        (&format!("{CERT}\nCANARY"), CHAIN, KEY, "outside"),
        (CERT, CHAIN, &format!("{KEY}\n{KEY}"), "not exactly one private key"),
        (CERT, CHAIN, &KEY.replace("DDDD", "DDDD\nProc-Type: 4"), "something else than base64"),
        (CERT, CHAIN, &KEY.replace("DDDD", "A: -----\n\nDDDD"), "something else than"),
        (CERT, CHAIN, &KEY.replace("DDDD", "A: b\n\nA: b\n\nDDDD"), "something else than base64"),
        (CERT, CHAIN, &KEY.replace("DDDD", "A: b\u{2028}c\n\nDDDD"), "is not ASCII"),
    ] {
        let error = bundle(certificate, chain, key).unwrap_err();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("CANARY"), "{error}");
    }
}
