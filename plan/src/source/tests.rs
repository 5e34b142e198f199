use super::*;

fn parse(text: &str) -> Reference {
    Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refuse(text: &str) -> String {
    Reference::parse(text).expect_err(text).to_string()
}

#[test]
fn every_form_is_read_and_written_back() {
    for text in [
        "kms://db",
        "kms://app/dev/db-1?version=v1",
        "kms://db?stage=ACSPrevious#user.name",
        "oos://token?version=7",
        "oos://a/b#x",
        "oos-parameter://flags",
        "kms://acs:kms:cn-hangzhou:1234567890123456:secret/app/db",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse("db").to_string(), "kms://db");
    let secret = parse(" acs:kms:cn-beijing:1:secret/x ").source.into_alibaba();
    assert_eq!(secret.unwrap().region(), Some("cn-beijing"));
}

#[test]
fn a_comma_or_a_question_mark_inside_jmespath_belongs_to_it() {
    let reference = parse("kms://db#items[?a == `1`].join(',', b)");
    assert_eq!(reference.selector.unwrap().as_str(), "items[?a == `1`].join(',', b)");
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() {
    for (text, words) in [
        ("", "empty"),
        ("vault://x", "reserved"),
        ("s3://x", "unknown scheme"),
        ("kms://", "KMS secret name"),
        ("kms://a b", "KMS secret name"),
        ("kms://x?label=y", "takes ?version=ID or ?stage=LABEL"),
        ("kms://x?version=", "version id"),
        ("kms://x?version=a b", "version id"),
        ("kms://x?version=a&stage=b", "given twice"),
        ("oos-parameter://x#y", "takes no version"),
        ("oos://", "OOS parameter name"),
        ("oos://aliyun-x", "must not start"),
        ("oos://Alibaba", "must not start"),
        ("oos://alicloud/x", "must not start"),
        ("oos-parameter://OOSx", "must not start"),
        ("acs:kms::1:secret/x", "not a KMS secret ARN"),
        ("acs:kms:CN_hangzhou:1:secret/x", "not a KMS secret ARN"),
        ("oos://x?version=0", "1 to 100"),
        ("oos://x?version=101", "1 to 100"),
        ("oos://x?stage=y", "takes ?version=1..100"),
        ("oos://ACSx", "must not start"),
        ("oos://x.y", "OOS parameter name"),
        ("oos-parameter://x?version=1", "takes no version"),
        ("acs:oos:cn-hangzhou:1:secret/x", "not a KMS secret ARN"),
        ("acs:kms:cn-hangzhou:me:secret/x", "not a KMS secret ARN"),
        ("kms://x#", "JMESPath expression is empty"),
        ("kms://x#a..b", "does not parse at column"),
    ] {
        let message = refuse(text);
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn messages_name_every_scheme() {
    let forms = "kms://NAME, oos://NAME or oos-parameter://NAME";
    assert_eq!(refuse(""), format!("a source is empty; write {forms}"));
    let unknown = r#"unknown scheme "s3://"; write"#;
    assert_eq!(refuse("s3://x"), format!("{unknown} {forms} (a bare NAME is kms://NAME)"));
    for Scheme { name, form, .. } in &SCHEMES {
        assert_eq!(parse(form).to_string(), *form);
        assert!(form.starts_with(&format!("{name}://")), "{form}");
    }
}

#[test]
fn a_message_repeats_no_control_characters_and_no_novels() {
    let message = refuse(&format!("kms://a\u{1b}[31m{}", "x y".repeat(1000)));
    assert!(message.len() < 250 && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn names_and_versions_may_be_as_long_as_the_service_allows_and_no_longer() {
    let fits = |prefix: &str, most: usize, suffix: &str| {
        let text = |length: usize| format!("{prefix}{}{suffix}", "1".repeat(length));
        parse(&text(most));
        assert!(Reference::parse(&text(most + 1)).is_err(), "{prefix}{suffix}");
    };
    fits("kms://", 192, "");
    fits("kms://x?version=", 64, "");
    fits("oos://", 180, "");
    fits("oos-parameter://", 200, "");
    fits("acs:kms:cn-hangzhou:", 32, ":secret/x");
    parse("oos://x?version=100");
}

#[test]
fn a_source_in_a_plan_has_no_jmespath() {
    assert!(Source::try_from("kms://x".to_owned()).is_ok());
    assert!(Source::try_from("kms://x#a".to_owned()).is_err());
}
