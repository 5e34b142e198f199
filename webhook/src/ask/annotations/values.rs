//! What may stand in one annotation: each kind of value, with words for what is not one.

use std::fmt::Display;

use plan::Glob;

use super::bad::Bad;
use super::request::{EnvMethod, InitFirst, ModeName, NativeSidecar};
use crate::ask::layers::is_class_name;
use crate::quantity::{Quantity, WrittenQuantity};
use crate::settings::ConfigMapName;
use crate::text::quoted;

/// What a type's own parser made of a value; its words say what to write.
pub(super) fn parsed<T>(value: Result<T, impl Display>) -> Result<T, Bad> {
    value.map_err(|error| (error.to_string(), String::new()))
}

pub(super) fn mode(value: &str) -> Result<ModeName, Bad> {
    match value {
        "init" => Ok(ModeName::Init),
        "refresh" => Ok(ModeName::Refresh),
        "agent" => Ok(ModeName::Agent),
        _ => {
            Err((format!("{} is no mode", quoted(value)), "use init, refresh or agent".to_owned()))
        }
    }
}

pub(super) fn native_sidecar(value: &str) -> Result<NativeSidecar, Bad> {
    match value {
        "auto" => Ok(NativeSidecar::Auto),
        "true" => Ok(NativeSidecar::True),
        "false" => Ok(NativeSidecar::False),
        _ => Err(neither(value)),
    }
}

fn neither(value: &str) -> Bad {
    (format!("{} is not valid", quoted(value)), "use auto, \"true\" or \"false\"".to_owned())
}

pub(super) fn env_method(value: &str) -> Result<EnvMethod, Bad> {
    match value {
        "auto" => Ok(EnvMethod::Auto),
        "exec" => Ok(EnvMethod::Exec),
        "file-key-ref" => Ok(EnvMethod::FileKeyRef),
        _ => Err((
            format!("{} is not valid", quoted(value)),
            "use auto, exec or file-key-ref".to_owned(),
        )),
    }
}

pub(super) fn names(value: &str) -> Result<Vec<&str>, Bad> {
    let names: Vec<_> = value.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err((
            "it names no container".to_owned(),
            "list container names with commas, or remove the annotation".to_owned(),
        ));
    }
    if names.len() > NAMES {
        return Err((
            format!("it names {} containers", names.len()),
            format!("name at most {NAMES}, or remove the annotation: all get the secrets then"),
        ));
    }
    Ok(names)
}

/// As many as a Pod may have containers.
const NAMES: usize = 256;

/// Names of KMS secrets and patterns of them, on lines or behind commas.
pub(super) fn patterns(value: &str) -> Result<Vec<Glob>, Bad> {
    let texts = value.split([',', '\n']).map(str::trim).filter(|text| !text.is_empty());
    match texts.clone().count() {
        0 => Err((
            "it names no secret".to_owned(),
            "list names or patterns of KMS secrets, like shop/*, or * for all".to_owned(),
        )),
        1..=PATTERNS => texts.map(pattern).collect(),
        many => Err((
            format!("it has {many} patterns"),
            format!("list at most {PATTERNS}; * stands for any run of characters"),
        )),
    }
}

fn pattern(text: &str) -> Result<Glob, Bad> {
    let name = text.strip_prefix("kms://").unwrap_or(text);
    let byte_ok = |b: u8| {
        b.is_ascii_alphanumeric()
            || b"_/+=.@-*?".contains(&b)
            || (b == b':' && name.starts_with("acs:"))
    };
    let versioned = name.contains("?stage=") || name.contains("?version=");
    match Glob::parse(name) {
        Ok(_) if versioned => Err((
            format!("{} names a version", quoted(text)),
            "leave the version out: each request says which one it wants".to_owned(),
        )),
        Ok(glob) if name.bytes().all(byte_ok) => Ok(glob),
        _ => Err((
            format!("{} is no name or pattern of KMS secrets", quoted(text)),
            "write it like shop/db or shop/*; the agent serves KMS secrets only".to_owned(),
        )),
    }
}

const PATTERNS: usize = 64;

pub(super) fn init_first(value: &str) -> Result<InitFirst, Bad> {
    match value {
        "auto" => Ok(InitFirst::Auto),
        "true" => Ok(InitFirst::First),
        "false" => Ok(InitFirst::Last),
        _ => Err(neither(value)),
    }
}

pub(super) fn config_map(value: &str) -> Result<ConfigMapName, Bad> {
    ConfigMapName::parse(value).ok_or_else(|| {
        (
            format!("{} is no ConfigMap name", quoted(value)),
            "name a ConfigMap of the Pod's namespace with the key ca.crt".to_owned(),
        )
    })
}

/// Whether it may name a class; what the class says stands beneath the annotations.
pub(super) fn class_name(value: &str) -> Result<(), Bad> {
    if is_class_name(value) {
        return Ok(());
    }
    Err((
        format!("{} is not the name of a SecretProviderClass", quoted(value)),
        "name one of the Pod's own namespace, without the namespace".to_owned(),
    ))
}

pub(super) fn number(value: &str, least: u32, most: u32, unit: &str) -> Result<u32, Bad> {
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err((
            format!("{} is not valid {unit}", quoted(value)),
            format!("use a whole number from {least} to {most}"),
        )),
    }
}

/// One that a process without privileges can listen on.
pub(super) fn port(value: &str) -> Result<u16, Bad> {
    let port = number(value, u32::from(plan::MIN_PORT), u32::from(u16::MAX), "as a port")?;
    u16::try_from(port).map_err(|_| (format!("{} is no port", quoted(value)), String::new()))
}

pub(super) fn user(value: &str) -> Result<u32, Bad> {
    if value == "0" {
        return Err((
            "our container never runs as root".to_owned(),
            "use the uid of the application, or remove the annotation".to_owned(),
        ));
    }
    number(value, 1, i32::MAX.unsigned_abs(), "as a user id")
}

pub(super) fn size(value: &str) -> Result<Quantity, Bad> {
    let least = Quantity::bytes(64 * 1024);
    let most = Quantity::bytes(1 << 30);
    match Quantity::parse(value) {
        Some(size) if (least..=most).contains(&size) => Ok(size),
        _ => Err((
            format!("{} is not a valid size", quoted(value)),
            "use a quantity from 64Ki to 1Gi, for instance 4Mi".to_owned(),
        )),
    }
}

pub(super) fn quantity(value: &str) -> Result<WrittenQuantity, Bad> {
    WrittenQuantity::parse(value).ok_or_else(|| bad_quantity(value))
}

/// Nothing may be requested.
pub(super) fn amount_to_request(value: &str) -> Result<WrittenQuantity, Bad> {
    WrittenQuantity::parse_request(value).ok_or_else(|| bad_quantity(value))
}

fn bad_quantity(value: &str) -> Bad {
    let what = format!("{} is not a valid quantity", quoted(value));
    (what, "write it like 50m, 0.1, 32Mi or 1Gi".to_owned())
}

/// What the fetcher logs before it ends counts as storage, and the kubelet ends a Pod that has more.
pub(super) fn storage(value: &str) -> Result<WrittenQuantity, Bad> {
    let least = Quantity::bytes(1 << 20);
    quantity(value).and_then(|quantity| match quantity.amount() >= least {
        true => Ok(quantity),
        false => Err((
            format!("{} is less than the log of the fetcher may have", quoted(value)),
            "use 1Mi or more".to_owned(),
        )),
    })
}

/// Seconds of `90s`, `5m`, `1h` or `1m30s`, in these bounds.
pub(super) fn duration(value: &str, least: u32, most: u32) -> Result<u32, Bad> {
    let bounds = format!("from {least}s to {}h", most / 3600);
    let Some(seconds) = seconds(value) else {
        return Err((
            format!("{} is not a valid duration", quoted(value)),
            format!("write it like 30s, 5m or 1m30s, {bounds}"),
        ));
    };
    match u32::try_from(seconds) {
        Ok(short) if short < least => {
            Err((format!("{} is too short", quoted(value)), format!("use one {bounds}")))
        }
        Ok(seconds) if seconds <= most => Ok(seconds),
        _ => Err((format!("{} is too long", quoted(value)), format!("use one {bounds}"))),
    }
}

/// As the KMS Agent has it, zero keeps nothing.
pub(super) fn cache_ttl(value: &str) -> Result<u32, Bad> {
    if value == "0" { Ok(0) } else { duration(value, 0, 3600) }
}

fn seconds(value: &str) -> Option<u64> {
    let mut seconds: u64 = 0;
    let mut rest = value;
    for (unit, times) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((digits, after)) = rest.split_once(unit) {
            if digits.len() > 10 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            seconds += digits.parse::<u64>().ok()? * times;
            rest = after;
        }
    }
    (rest.is_empty() && !value.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1m30s", 90), ("1h", 3600)] {
            assert_eq!(duration(text, 1, 3600).unwrap(), seconds, "{text}");
        }
        assert_eq!(duration("86400s", 10, 86_400).unwrap(), 86_400);
    }

    #[test]
    fn what_is_wrong_with_a_duration_is_said_with_its_bounds() {
        for (text, words) in [
            ("9s", "\"9s\" is too short"),
            ("0s", "\"0s\" is too short"),
            ("86401s", "\"86401s\" is too long"),
            ("9999999999h", "is too long"),
            ("", "\"\" is not a valid duration"),
            ("5", "is not a valid duration"),
            ("1.5h", "is not a valid duration"),
            ("s", "is not a valid duration"),
            ("99999999999s", "is not a valid duration"),
            ("1s1m", "is not a valid duration"),
        ] {
            let (what, remedy) = duration(text, 10, 86_400).unwrap_err();
            assert!(what.contains(words), "{text}: {what}");
            assert!(remedy.ends_with("from 10s to 24h"), "{text}: {remedy}");
        }
    }

    #[test]
    fn config_maps_are_called_as_kubernetes_allows() {
        let longest = "x".repeat(253);
        for name in ["a", "kms-ca.v1", "0", &longest] {
            assert_eq!(config_map(name).unwrap().as_str(), name);
        }
        let too_long = "x".repeat(254);
        for name in ["", "A", "a_b", "a/b", "-a", "a-", ".a", "a.", "a..b", "a.-b", &too_long] {
            assert!(config_map(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn sizes_reach_from_64_kibibytes_to_one_gibibyte() {
        for text in ["64Ki", "65536", "1Gi"] {
            assert!(size(text).is_ok(), "{text}");
        }
    }
}
