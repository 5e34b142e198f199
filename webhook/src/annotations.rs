//! The annotations under our prefix: which there are, and each one's value parsed by itself.
//! How they combine with the Pod, its ServiceAccount and the settings is decided elsewhere.

mod request;
mod values;

use plan::{
    ContainerName, ExternalId, FileMode, MountPath, OnChange, OnMissing, OnRevoked,
    PathTranslation, ProviderArn, Region, ResponseType, RoleArn, SessionName, TokenPath,
};

pub(crate) use self::request::{
    EnvMethod, EnvRequest, InitFirst, ModeName, NativeSidecar, Request, TemplateRequest,
};
use self::values::{
    config_map, credentials, duration, env_method, init_first, log_level, mode, names,
    native_sidecar, number, patterns, port, quantity, said, size, user,
};
use crate::pod::Annotated;
use crate::problem::{Problem, Problems};

pub(crate) const PREFIX: &str = "kms.alibabacloud/";

const KEYS: [&str; 47] = [
    "secrets",
    "template.FILE",
    "env",
    "env-method",
    "mode",
    "refresh-interval",
    "max-staleness",
    "on-revoked",
    "on-change",
    "metrics-port",
    "native-sidecar",
    "agent-secrets",
    "agent-port",
    "agent-cache-ttl",
    "agent-cache-size",
    "agent-max-connections",
    "agent-response-type",
    "agent-token-path",
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
const UNSUPPORTED: [&str; 4] = ["secret-provider-class", "regions", "https-proxy", "injection"];

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
        } else if let Some(container) = env_key(key) {
            match env_container(key, container) {
                Ok(()) => request.env.push(EnvRequest { key, container, text: value }),
                Err((what, remedy)) => {
                    request.bad.push(key);
                    problems.push(problem(key, what, remedy));
                }
            }
        } else if let Some(file) = template_file(key) {
            // Every byte of it counts.
            match template_key(key, file) {
                Ok(()) => request.templates.push(TemplateRequest { key, file, text: value }),
                Err((what, remedy)) => {
                    request.bad.push(key);
                    problems.push(problem(key, what, remedy));
                }
            }
        } else if let Err((what, remedy)) = apply(&mut request, key, value.trim(), problems) {
            request.bad.push(key);
            problems.push(problem(key, what, remedy));
        }
    }
    request
}

/// `env`, or `env.` and the container that it is for.
fn env_key(key: &str) -> Option<Option<&str>> {
    match key.strip_prefix("env")? {
        "" => Some(None),
        rest => rest.strip_prefix('.').map(Some),
    }
}

/// CONTAINER of `env.CONTAINER`, if there is one. It is told once, and not of each variable.
fn env_container(key: &str, container: Option<&str>) -> Result<(), Bad> {
    let Some(name) = container else { return Ok(()) };
    if let Err(error) = ContainerName::parse(name) {
        let remedy = format!("write {PREFIX}env.CONTAINER with the name of a container of the Pod");
        return Err((error.to_string(), remedy));
    }
    if key.len() > MAX_KEY {
        let instead = format!("write in {PREFIX}env: NAME: {{source: …, containers: [{name}]}}");
        return Err((TOO_LONG.to_owned(), instead));
    }
    Ok(())
}

/// FILE of `template.FILE`, which may be missing.
fn template_file(key: &str) -> Option<&str> {
    match key.strip_prefix("template")? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

const MAX_KEY: usize = 63;
const TOO_LONG: &str = "an annotation has at most 63 characters in its name";

/// What the API server would refuse without saying how else to write it.
fn template_key(key: &str, file: &str) -> Result<(), Bad> {
    let instead = || "write it in kms.alibabacloud/secrets: FILE: {template: \"…\"}".to_owned();
    if file.is_empty() {
        return Err((
            "it names no file".to_owned(),
            format!("write {PREFIX}template.FILE with the name of the file"),
        ));
    }
    if key.len() > MAX_KEY {
        return Err((TOO_LONG.to_owned(), instead()));
    }
    let edge = |b: u8| b.is_ascii_alphanumeric();
    let inner = |b: u8| edge(b) || matches!(b, b'-' | b'_' | b'.');
    if !key.bytes().all(inner) || !key.bytes().next_back().is_some_and(edge) {
        return Err((
            "an annotation's name has only letters, digits and -_. and ends in a letter or digit"
                .to_owned(),
            instead(),
        ));
    }
    Ok(())
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

fn apply<'a>(
    request: &mut Request<'a>,
    key: &str,
    value: &'a str,
    problems: &mut Problems,
) -> Result<(), Bad> {
    match key {
        "mode" => request.mode = mode(value)?,
        "env-method" => request.env_method = env_method(value)?,
        "refresh-interval" => request.refresh_interval = Some(duration(value, 10, DAY)?),
        "max-staleness" => request.max_staleness = Some(duration(value, 10, 30 * DAY)?),
        "on-revoked" => request.on_revoked = Some(OnRevoked::parse(value).map_err(said)?),
        "on-change" => request.on_change = OnChange::parse(value).map_err(said)?,
        "metrics-port" => request.metrics_port = Some(port(value)?),
        "native-sidecar" => request.native_sidecar = Some(native_sidecar(value)?),
        "agent-secrets" => request.agent.secrets = Some(patterns(value)?),
        "agent-port" => request.agent.port = Some(number(value, 1024, 65535, "as a port")?),
        "agent-cache-ttl" => {
            // As the KMS Agent has it, zero keeps nothing.
            let ttl = if value == "0" { 0 } else { duration(value, 0, 3600)? };
            request.agent.cache_ttl = Some(ttl);
        }
        "agent-cache-size" => {
            request.agent.cache_size = Some(number(value, 1, 1000, "as a number of secrets")?);
        }
        "agent-max-connections" => {
            request.agent.max_connections = Some(number(value, 1, 1000, "as a number")?);
        }
        "agent-response-type" => {
            request.agent.response_type = Some(ResponseType::parse(value).map_err(said)?);
        }
        "agent-token-path" => {
            request.agent.token_path = Some(TokenPath::parse(value).map_err(said)?);
        }
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
        _ => return Err(unknown(key, problems)),
    }
    Ok(())
}

const DAY: u32 = 86_400;

fn unknown(key: &str, problems: &mut Problems) -> Bad {
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
    let known = KEYS.into_iter().filter(|known| *known != "status");
    let remedy = match problems.did_you_mean(key, known) {
        Some(known) => format!("did you mean {PREFIX}{known}?"),
        None => "remove it, or see the README for the annotations that exist".to_owned(),
    };
    ("there is no such annotation".to_owned(), remedy)
}

#[cfg(test)]
mod tests;
