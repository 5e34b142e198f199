//! The annotations under our prefix: which there are, and each one's value parsed by itself.
//! How they combine with the Pod, its ServiceAccount and the settings is decided elsewhere.

mod values;

use plan::{
    ExternalId, FileMode, LogLevel, MountPath, OnMissing, OnRevoked, PathTranslation, ProviderArn,
    Region, RoleArn, SessionName,
};

use self::values::{
    config_map, credentials, duration, init_first, log_level, mode, names, native_sidecar, number,
    quantity, said, size, user,
};
use crate::nearest::nearest;
use crate::pod::Annotated;
use crate::problem::{Problem, Problems};
use crate::quantity::Quantity;

pub(crate) const PREFIX: &str = "kms.alibabacloud/";

/// What a Pod asks for, value by value; `None` where it says nothing.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    /// Keys that have a problem already, so that nothing else is said about what they lack.
    pub(crate) bad: Vec<&'a str>,
    /// Parsed together with everything else that shapes files.
    pub(crate) secrets: Option<&'a str>,
    pub(crate) mode: ModeName,
    /// Seconds.
    pub(crate) refresh_interval: Option<u32>,
    /// Seconds.
    pub(crate) max_staleness: Option<u32>,
    pub(crate) on_revoked: Option<OnRevoked>,
    pub(crate) native_sidecar: Option<NativeSidecar>,
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

/// What is wanted; how is said by other annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ModeName {
    #[default]
    Init,
    Refresh,
}

/// Whether a container that stays is a native sidecar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NativeSidecar {
    #[default]
    Auto,
    True,
    False,
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

const KEYS: [&str; 35] = [
    "secrets",
    "mode",
    "refresh-interval",
    "max-staleness",
    "on-revoked",
    "native-sidecar",
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
const UNSUPPORTED: [&str; 15] = [
    "env",
    "template",
    "secret-provider-class",
    "on-change",
    "agent-secrets",
    "agent-port",
    "agent-cache-ttl",
    "agent-cache-size",
    "agent-max-connections",
    "agent-response-type",
    "agent-token-path",
    "env-method",
    "regions",
    "https-proxy",
    "injection",
];

impl Request<'_> {
    pub(crate) fn is_bad(&self, key: &str) -> bool {
        self.bad.contains(&key)
    }
}

/// The Pod's own annotations, each parsed; every bad one is a problem.
pub(crate) fn read<'a>(annotations: &'a Annotated<'a>, problems: &mut Problems) -> Request<'a> {
    let mut request = Request::default();
    for (key, kind) in &annotations.untyped {
        request.bad.push(key);
        let remedy = match *kind {
            "a list" | "a mapping" => {
                format!("write it as text: `{PREFIX}{key:.64}: |` and the lines below it, indented")
            }
            _ => format!("put quotes around it: `{PREFIX}{key:.64}: \"…\"`"),
        };
        problems.push(problem(key, format!("the value is {kind}, and must be a string"), remedy));
    }
    for (key, value) in &annotations.ours {
        if key == "secrets" {
            // Lines count in it, so it is left as it is.
            request.secrets = Some(value);
        } else if let Err((what, remedy)) = apply(&mut request, key, value.trim()) {
            request.bad.push(key);
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

/// What is wrong, and the remedy.
type Bad = (String, String);

fn apply<'a>(request: &mut Request<'a>, key: &str, value: &'a str) -> Result<(), Bad> {
    match key {
        "mode" => request.mode = mode(value)?,
        "refresh-interval" => request.refresh_interval = Some(duration(value, 10, DAY)?),
        "max-staleness" => request.max_staleness = Some(duration(value, 10, 30 * DAY)?),
        "on-revoked" => request.on_revoked = Some(OnRevoked::parse(value).map_err(said)?),
        "native-sidecar" => request.native_sidecar = Some(native_sidecar(value)?),
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
        "timeout" => request.timeout = Some(duration(value, 1, 3600)?),
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

const DAY: u32 = 86_400;

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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn wrong(key: &str, value: &str) -> String {
        let ours = vec![(Cow::Borrowed(key), Cow::Borrowed(value))];
        let annotations = Annotated { ours, ..Annotated::default() };
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
        for key in ["env", "env.app", "template.x", "on-change", "agent-port"] {
            assert!(wrong(key, "x").contains("this version does not support it"), "{key}");
        }
        assert!(wrong("mode", "agent").contains("does not support the mode"));
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
            ("refresh-interval", "9s", "10s to 24h"),
            ("refresh-interval", "25h", "10s to 24h"),
            ("max-staleness", "721h", "10s to 720h"),
            ("max-staleness", "never", "like 30s"),
            ("on-revoked", "ignore", "keep, remove or fail"),
            ("native-sidecar", "yes", "auto"),
            ("mode", "sometimes", "init or refresh"),
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
}
