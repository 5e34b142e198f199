use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A directory as the kubelet makes it of a Secret.
fn secret(keys: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("..2026_1")).unwrap();
    symlink("..2026_1", directory.path().join("..data")).unwrap();
    for (name, value) in keys {
        fs::write(directory.path().join("..2026_1").join(name), value).unwrap();
        symlink(format!("..data/{name}"), directory.path().join(name)).unwrap();
    }
    directory
}

fn read(keys: &[(&str, &str)]) -> Result<KeySet, KeyFilesError> {
    let directory = secret(keys);
    let token = directory.path().join("..2026_1/sa-token");
    fs::write(&token, "e30.e30.c2ln\n").unwrap();
    let session = SessionName::parse("shop.checkout").unwrap();
    KeyFiles::new(directory.path().to_owned()).read(&session, &TokenFile::new(token))
}

/// The set in a few words, with the values that are no secrets.
fn shown(set: KeySet) -> String {
    let of_key = |key: &AccessKey| {
        let token = if key.token.is_some() { " token" } else { "" };
        format!("{} {}{token}", key.id, String::from_utf8_lossy(key.secret.expose()))
    };
    let of_terms = |terms: &RoleTerms| {
        format!("{} {:?}", terms.session_name.as_deref().unwrap_or("-"), terms.duration)
    };
    match set {
        KeySet::Own(key) => format!("own {}", of_key(&key)),
        KeySet::Role(key, KeyRole { role_arn, terms }) => {
            format!("role {role_arn} {} {}", of_key(&key), of_terms(&terms))
        }
        KeySet::Oidc(OidcRole { role_arn, oidc_provider_arn }, token, terms) => {
            let token = String::from_utf8_lossy(token.expose()).into_owned();
            format!("oidc {role_arn} {oidc_provider_arn} {token} {}", of_terms(&terms))
        }
    }
}

const ROLE_ARN: &str = "acs:ram::1234567890123456:role/reader";
const PROVIDER_ARN: &str = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1";

#[test]
fn each_set_that_users_have_is_what_they_mean_by_it() {
    for (keys, expected) in [
        (vec![("id", "LTAI1"), ("secret", "s")], "own LTAI1 s".to_owned()),
        (vec![("access_key", "LTAI1"), ("access_secret", "s")], "own LTAI1 s".to_owned()),
        (vec![("Access_Key", "LTAI1"), ("ACCESS_SECRET", "s")], "own LTAI1 s".to_owned()),
        (vec![("id", "STS.1"), ("secret", "s"), ("token", "t")], "own STS.1 s token".to_owned()),
        (
            vec![("id", "LTAI1"), ("secret", "s"), ("rolearn", ROLE_ARN)],
            format!("role {ROLE_ARN} LTAI1 s - None"),
        ),
        (
            vec![
                ("id", "LTAI1"),
                ("secret", "s"),
                ("rolearn", ROLE_ARN),
                ("rolesessionname", "till"),
                ("rolesessionexpiration", "1800"),
            ],
            format!("role {ROLE_ARN} LTAI1 s shop.till Some(1800)"),
        ),
        (
            vec![("rolearn", ROLE_ARN), ("oidcproviderarn", PROVIDER_ARN)],
            format!("oidc {ROLE_ARN} {PROVIDER_ARN} e30.e30.c2ln - None"),
        ),
    ] {
        assert_eq!(read(&keys).map(shown), Ok(expected), "{keys:?}");
    }
}

#[test]
fn line_ends_and_blanks_around_a_value_and_keys_of_others_mean_nothing() {
    let keys = [("id", " LTAI1\n"), ("secret", "s\r\n"), ("rolearn", "\n"), ("owner", "team a\n")];
    assert_eq!(read(&keys).map(shown), Ok("own LTAI1 s".to_owned()));
}

/// In whatever order the directory is read.
#[test]
fn however_many_keys_of_others_there_are_each_of_ours_is_read() {
    let others: Vec<String> = (0..300).map(|number| format!("other{number}")).collect();
    let mut keys: Vec<(&str, &str)> = others.iter().map(|name| (name.as_str(), "x")).collect();
    keys.extend([("id", "LTAI1"), ("secret", "s"), ("rolearn", ROLE_ARN)]);
    assert_eq!(shown(read(&keys).unwrap()), format!("role {ROLE_ARN} LTAI1 s - None"));
    for twice in [[("id", "LTAI1"), ("ID", "LTAI2")], [("Id", "LTAI1"), ("iD", "LTAI1")]] {
        let keys = [&twice[..], &[("secret", "s")]].concat();
        let told = read(&keys).unwrap_err().to_string();
        assert_eq!(
            told,
            "it has the key id twice, in small and in capital letters; keep one of them"
        );
    }
    assert!(read(&[("id", "LTAI1"), ("secret", "s"), ("x", "1"), ("X", "2")]).is_ok());
}

#[test]
fn half_a_set_and_two_sets_say_what_is_missing_and_what_is_too_much() {
    for (keys, expected) in [
        (vec![], "it has none of the keys that say who asks"),
        (vec![("id", "LTAI1")], "it has the key id and lacks secret"),
        (vec![("access_secret", "s")], "it has the key access_secret and lacks id"),
        (
            vec![("rolearn", ROLE_ARN)],
            "it has the key rolearn and lacks id and secret, or oidcproviderarn",
        ),
        (
            vec![("oidcproviderarn", PROVIDER_ARN)],
            "it has the key oidcproviderarn and lacks rolearn",
        ),
        (
            vec![("id", "LTAI1"), ("access_key", "LTAI2"), ("secret", "s")],
            "it has id and access_key, which say the same; keep one of them",
        ),
        (
            vec![
                ("id", "a"),
                ("secret", "s"),
                ("rolearn", ROLE_ARN),
                ("oidcproviderarn", PROVIDER_ARN),
            ],
            "it has keys, and oidcproviderarn for a token; keep one way",
        ),
    ] {
        assert_eq!(read(&keys).unwrap_err().to_string(), expected, "{keys:?}");
    }
}

#[test]
fn what_is_no_value_is_named_by_its_key_and_never_repeated() {
    let set = |name, value| vec![("id", "LTAI1"), ("secret", "s"), (name, value)];
    for (keys, expected) in [
        (vec![("id", "CANARY CANARY"), ("secret", "s")], "the key id is no text of one line"),
        (
            vec![("id", "LTAI1"), ("secret", "CANARY\nCANARY")],
            "the key secret is no text of one line",
        ),
        (
            vec![("id", "TFRBSUNBTkFSWQ=="), ("secret", "s")],
            "the key id is encoded as base64 twice; encode it once under data, or write it as it is under stringData",
        ),
        (
            set("rolearn", "CANARY"),
            "the key rolearn is not valid: write acs:ram::ACCOUNT:role/NAME",
        ),
        (
            set("rolesessionexpiration", "60"),
            "the key rolesessionexpiration is not valid: write seconds, 900 to 43200",
        ),
        (
            set("rolesessionname", "CANARY/CANARY"),
            "the key rolesessionname is not valid: use letters, digits and .@_-, with the namespace before it at most 64 characters",
        ),
    ] {
        let error = read(&keys).unwrap_err();
        assert_eq!(error.to_string(), expected, "{keys:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    let large = "x".repeat(LARGEST + 1);
    let error = read(&[("id", "LTAI1"), ("secret", &large)]).unwrap_err();
    assert_eq!(error.to_string(), "secret cannot be read: has more than 16384 bytes");
}

#[test]
fn a_session_is_always_named_after_its_namespace() {
    let keys =
        |name| [("id", "L"), ("secret", "s"), ("rolearn", ROLE_ARN), ("rolesessionname", name)];
    let session = |name| match read(&keys(name)) {
        Ok(KeySet::Role(_, KeyRole { terms, .. })) => terms.session_name,
        _ => None,
    };
    assert_eq!(session("bank.till").as_deref(), Some("shop.bank.till"));
    assert_eq!(session("shop.till").as_deref(), Some("shop.till"));
    assert_eq!(session(&"x".repeat(64)), None);
}

#[test]
fn the_edition_changes_when_the_kubelet_writes_the_secret_anew() {
    let directory = secret(&[("id", "LTAI1")]);
    let files = KeyFiles::new(directory.path().to_owned());
    let first = files.edition().unwrap();
    assert_eq!(files.edition().as_ref(), Some(&first));
    let link = directory.path().join("..data");
    fs::remove_file(&link).unwrap();
    symlink("..2026_2", &link).unwrap();
    assert_ne!(files.edition(), Some(first));
}
