//! The annotations under our prefix: which there are, and each one's value parsed by itself.
//! How they combine with the Pod, its ServiceAccount and the settings is decided elsewhere.

use std::borrow::Cow;
use std::fmt::Display;

use plan::{
    ExternalId, FileMode, LogLevel, MountPath, OnMissing, PathTranslation, ProviderArn, Region,
    RoleArn, SessionName,
};

use crate::nearest::nearest;
use crate::problem::{Problem, Problems};
use crate::quantity::Quantity;

pub(crate) const PREFIX: &str = "kms.alibabacloud/";

/// What a Pod asks for, value by value; `None` where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    /// Parsed together with everything else that shapes files.
    pub(crate) secrets: Option<&'a str>,
    pub(crate) mount_path: Option<MountPath>,
    pub(crate) containers: Option<Vec<&'a str>>,
    pub(crate) init_first: InitFirst,
    pub(crate) region: Option<Region>,
    pub(crate) kms_endpoint: Option<&'a str>,
    pub(crate) oos_endpoint: Option<&'a str>,
    pub(crate) sts_endpoint: Option<&'a str>,
    pub(crate) path_translation: Option<PathTranslation>,
    pub(crate) ca_config_map: Option<&'a str>,
    pub(crate) role_arn: Option<RoleArn>,
    pub(crate) oidc_provider_arn: Option<ProviderArn>,
    pub(crate) role_session_name: Option<SessionName>,
    pub(crate) role_session_expiration: Option<u32>,
    pub(crate) external_id: Option<ExternalId>,
    pub(crate) cross_account_role_arn: Option<RoleArn>,
    pub(crate) token_expiration: Option<u32>,
    pub(crate) file_mode: Option<FileMode>,
    pub(crate) run_as_user: Option<u32>,
    pub(crate) run_as_group: Option<u32>,
    pub(crate) size_limit: Option<Quantity>,
    pub(crate) timeout: Option<u32>,
    pub(crate) on_missing: OnMissing,
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) resources: ResourceRequest<'a>,
}

/// Where our init container is placed, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum InitFirst {
    /// First, or directly behind a native mesh proxy.
    #[default]
    Auto,
    First,
    Last,
}

#[derive(Debug, Default)]
pub(crate) struct ResourceRequest<'a> {
    pub(crate) cpu_request: Option<&'a str>,
    pub(crate) cpu_limit: Option<&'a str>,
    pub(crate) memory_request: Option<&'a str>,
    pub(crate) memory_limit: Option<&'a str>,
}

const KEYS: [&str; 31] = [
    "secrets",
    "mode",
    "mount-path",
    "containers",
    "init-first",
    "region",
    "kms-endpoint",
    "oos-endpoint",
    "sts-endpoint",
    "path-translation",
    "ca-config-map",
    "credentials",
    "role-arn",
    "oidc-provider-arn",
    "role-session-name",
    "role-session-expiration",
    "external-id",
    "cross-account-role-arn",
    "service-account-token-expiration",
    "file-mode",
    "run-as-user",
    "run-as-group",
    "size-limit",
    "timeout",
    "on-missing",
    "log-level",
    "resources.requests.cpu",
    "resources.requests.memory",
    "resources.limits.cpu",
    "resources.limits.memory",
    "status",
];

/// Keys that this project has a meaning for, and this version does not act on.
const UNSUPPORTED: [&str; 19] = [
    "env",
    "template",
    "secret-provider-class",
    "refresh-interval",
    "max-staleness",
    "on-revoked",
    "on-change",
    "agent-secrets",
    "agent-port",
    "agent-cache-ttl",
    "agent-cache-size",
    "agent-max-connections",
    "agent-response-type",
    "agent-token-path",
    "native-sidecar",
    "env-method",
    "regions",
    "https-proxy",
    "injection",
];

/// The Pod's own annotations, each parsed; every bad one is a problem.
pub(crate) fn read<'a>(
    annotations: &'a [(Cow<'a, str>, Cow<'a, str>)],
    problems: &mut Problems,
) -> Request<'a> {
    let mut request = Request::default();
    for (key, value) in annotations {
        if key == "secrets" {
            // Lines count in it, so it is left as it is.
            request.secrets = Some(value);
        } else if let Err((what, remedy)) = apply(&mut request, key, value.trim()) {
            problems.push(problem(key, what, remedy));
        }
    }
    request
}

/// A problem of one annotation as a whole.
pub(crate) fn problem(key: &str, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem {
        annotation: Some(format!("{PREFIX}{key}")),
        line: None,
        place: String::new(),
        what: what.into(),
        remedy: remedy.into(),
    }
}

type Bad = (String, String);

fn apply<'a>(request: &mut Request<'a>, key: &str, value: &'a str) -> Result<(), Bad> {
    match key {
        "mode" => mode(value)?,
        "credentials" => credentials(value)?,
        "mount-path" => request.mount_path = Some(MountPath::parse(value).map_err(said)?),
        "containers" => request.containers = Some(names(value)?),
        "init-first" => request.init_first = init_first(value)?,
        "region" => request.region = Some(Region::parse(value).map_err(said)?),
        "kms-endpoint" => request.kms_endpoint = Some(value),
        "oos-endpoint" => request.oos_endpoint = Some(value),
        "sts-endpoint" => request.sts_endpoint = Some(value),
        "path-translation" => {
            request.path_translation = Some(PathTranslation::parse(value).map_err(said)?);
        }
        "ca-config-map" => request.ca_config_map = Some(config_map(value)?),
        "role-arn" => request.role_arn = Some(RoleArn::parse(value).map_err(said)?),
        "oidc-provider-arn" => {
            request.oidc_provider_arn = Some(ProviderArn::parse(value).map_err(said)?);
        }
        "role-session-name" => {
            request.role_session_name = Some(SessionName::parse(value).map_err(said)?);
        }
        "role-session-expiration" => {
            request.role_session_expiration = Some(number(value, 900, 43_200, "seconds")?);
        }
        "external-id" => request.external_id = Some(ExternalId::parse(value).map_err(said)?),
        "cross-account-role-arn" => {
            request.cross_account_role_arn = Some(RoleArn::parse(value).map_err(said)?);
        }
        "service-account-token-expiration" => {
            request.token_expiration = Some(number(value, 600, 43_200, "seconds")?);
        }
        "file-mode" => request.file_mode = Some(FileMode::parse(value).map_err(said)?),
        "run-as-user" => request.run_as_user = Some(user(value)?),
        "run-as-group" => {
            request.run_as_group =
                Some(number(value, 0, i32::MAX.unsigned_abs(), "as a group id")?);
        }
        "size-limit" => request.size_limit = Some(size(value)?),
        "timeout" => request.timeout = Some(duration(value)?),
        "on-missing" => request.on_missing = OnMissing::parse(value).map_err(said)?,
        "log-level" => request.log_level = Some(log_level(value)?),
        "resources.requests.cpu" => request.resources.cpu_request = Some(quantity(value)?),
        "resources.requests.memory" => request.resources.memory_request = Some(quantity(value)?),
        "resources.limits.cpu" => request.resources.cpu_limit = Some(quantity(value)?),
        "resources.limits.memory" => request.resources.memory_limit = Some(quantity(value)?),
        "status" => {}
        _ => return Err(unknown(key)),
    }
    Ok(())
}

fn unknown(key: &str) -> Bad {
    let family = key.split('.').next().unwrap_or(key);
    if family == "injection" {
        return (
            "it is a label and not an annotation".to_owned(),
            "set the label kms.alibabacloud/injection on the namespace (enabled) or the Pod (disabled)"
                .to_owned(),
        );
    }
    if UNSUPPORTED.contains(&family) {
        return ("this version does not support it".to_owned(), "remove the annotation".to_owned());
    }
    let remedy = match nearest(key, KEYS.into_iter().filter(|known| *known != "status")) {
        Some(known) => format!("did you mean {PREFIX}{known}?"),
        None => "remove it, or see the README for the annotations that exist".to_owned(),
    };
    ("there is no such annotation".to_owned(), remedy)
}

fn said(error: impl Display) -> Bad {
    (error.to_string(), String::new())
}

fn quoted(value: &str) -> String {
    let mut short: String = value.chars().take(64).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}

fn mode(value: &str) -> Result<(), Bad> {
    match value {
        "init" => Ok(()),
        "refresh" | "agent" => Err((
            format!("this version does not support the mode {value:?}"),
            "use init, or remove the annotation".to_owned(),
        )),
        _ => Err((format!("{} is no mode", quoted(value)), "use init".to_owned())),
    }
}

fn credentials(value: &str) -> Result<(), Bad> {
    if value == "rrsa" {
        return Ok(());
    }
    Err((
        format!("this version does not support the credentials {}", quoted(value)),
        "use rrsa, or remove the annotation".to_owned(),
    ))
}

fn names(value: &str) -> Result<Vec<&str>, Bad> {
    let names: Vec<_> = value.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err((
            "it names no container".to_owned(),
            "list container names with commas, or remove the annotation".to_owned(),
        ));
    }
    Ok(names)
}

fn init_first(value: &str) -> Result<InitFirst, Bad> {
    match value {
        "auto" => Ok(InitFirst::Auto),
        "true" => Ok(InitFirst::First),
        "false" => Ok(InitFirst::Last),
        _ => Err((
            format!("{} is not valid", quoted(value)),
            "use auto, \"true\" or \"false\"".to_owned(),
        )),
    }
}

fn config_map(value: &str) -> Result<&str, Bad> {
    let byte_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let edge_ok = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let ok = value.len() <= 253
        && value.bytes().all(byte_ok)
        && edge_ok(value.bytes().next())
        && edge_ok(value.bytes().next_back());
    if ok {
        Ok(value)
    } else {
        Err((
            format!("{} is no ConfigMap name", quoted(value)),
            "name a ConfigMap of the Pod's namespace with the key ca.crt".to_owned(),
        ))
    }
}

fn number(value: &str, least: u32, most: u32, unit: &str) -> Result<u32, Bad> {
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err((
            format!("{} is not valid {unit}", quoted(value)),
            format!("use a whole number from {least} to {most}"),
        )),
    }
}

fn user(value: &str) -> Result<u32, Bad> {
    if value == "0" {
        return Err((
            "our container never runs as root".to_owned(),
            "use the uid of the application, or remove the annotation".to_owned(),
        ));
    }
    number(value, 1, i32::MAX.unsigned_abs(), "as a user id")
}

fn size(value: &str) -> Result<Quantity, Bad> {
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

fn quantity(value: &str) -> Result<&str, Bad> {
    match Quantity::parse(value) {
        Some(quantity) if !quantity.is_zero() => Ok(value),
        _ => Err((
            format!("{} is not a valid quantity", quoted(value)),
            "write it like 50m, 0.1, 32Mi or 1Gi".to_owned(),
        )),
    }
}

fn log_level(value: &str) -> Result<LogLevel, Bad> {
    match value {
        "error" => Ok(LogLevel::Error),
        "warn" => Ok(LogLevel::Warn),
        "info" => Ok(LogLevel::Info),
        "debug" => Ok(LogLevel::Debug),
        _ => Err((
            format!("{} is no log level", quoted(value)),
            "use error, warn, info or debug".to_owned(),
        )),
    }
}

/// Seconds of `90s`, `5m`, `1h` or `1m30s`, from one second to one hour.
fn duration(value: &str) -> Result<u32, Bad> {
    let bad = || {
        (
            format!("{} is not a valid duration", quoted(value)),
            "write it like 30s, 5m or 1m30s, from 1s to 1h".to_owned(),
        )
    };
    let mut seconds: u32 = 0;
    let mut rest = value;
    for (unit, times) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((digits, after)) = rest.split_once(unit) {
            if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit())
            {
                return Err(bad());
            }
            seconds += digits.parse::<u32>().map_err(|_| bad())? * times;
            rest = after;
        }
    }
    if rest.is_empty() && (1..=3600).contains(&seconds) { Ok(seconds) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(key: &str, value: &str) -> String {
        let annotations = [(Cow::Borrowed(key), Cow::Borrowed(value))];
        let mut problems = Problems::default();
        read(&annotations, &mut problems);
        assert_eq!(problems.as_slice().len(), 1, "{key}={value}");
        problems.message()
    }

    #[test]
    fn a_misspelt_key_is_a_problem_with_a_proposal() {
        assert!(wrong("secret", "x").contains("did you mean kms.alibabacloud/secrets?"));
        assert!(wrong("kms-endpiont", "x").contains("did you mean kms.alibabacloud/kms-endpoint?"));
        assert!(wrong("whatever-else", "x").contains("no such annotation"));
        assert!(wrong("injection", "enabled").contains("label"));
    }

    #[test]
    fn a_key_that_this_version_does_not_act_on_is_a_problem() {
        for key in ["env", "env.app", "template.x", "refresh-interval", "agent-port"] {
            assert!(wrong(key, "x").contains("this version does not support it"), "{key}");
        }
        assert!(wrong("mode", "refresh").contains("does not support the mode"));
        assert!(wrong("credentials", "ecs-ram-role").contains("does not support the credentials"));
    }

    #[test]
    fn values_out_of_range_name_the_range() {
        for (key, value, words) in [
            ("role-session-expiration", "60", "900 to 43200"),
            ("service-account-token-expiration", "86400", "600 to 43200"),
            ("run-as-user", "0", "never runs as root"),
            ("run-as-user", "-1", "1 to 2147483647"),
            ("size-limit", "1Ki", "64Ki to 1Gi"),
            ("timeout", "5", "like 30s"),
            ("timeout", "2h", "1s to 1h"),
            ("timeout", "99999999999s", "like 30s"),
            ("file-mode", "rw", "quoted octal"),
            ("on-missing", "ignore", "fail or skip"),
            ("log-level", "trace", "debug"),
            ("init-first", "yes", "auto"),
            ("mount-path", "relative", "absolute"),
            ("containers", " , ", "names no container"),
            ("ca-config-map", "../x", "ConfigMap"),
            ("resources.limits.memory", "lots", "quantity"),
            ("path-translation", "ab", "one character"),
            ("role-arn", "demo", "role ARN"),
        ] {
            let message = wrong(key, value);
            assert!(message.contains(words), "{key}={value}: {message}");
            assert!(message.starts_with(PREFIX), "{message}");
        }
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1m30s", 90), ("1h", 3600)] {
            assert_eq!(duration(text).unwrap(), seconds, "{text}");
        }
    }
}
