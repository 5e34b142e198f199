//! The table of annotations: what each is called, what its value is, where it means something, and
//! how it becomes a part of a request. All else that must know the keys asks this table.

use plan::{
    ExternalId, FileMode, LogLevel, OnChange, OnMissing, OnRevoked, ProviderArn, Region,
    ResponseType, RoleArn, SessionName,
};

use super::bad::Bad;
use super::credentials::{self, RequestedCredentials};
use super::directories::{mount_path, token_path};
use super::families::{command, env, template};
use super::member::{Member, member_name};
use super::request::{ModeName, SecretsRequest};
use super::values::{
    amount_to_request, cache_ttl, class_name, config_map, duration, env_method, init_first, mode,
    names, native_sidecar, number, parsed, patterns, port, quantity, size, storage, user,
};
use crate::path_translation::PathTranslation;

/// One annotation, or a family of them.
#[derive(Debug)]
pub struct Annotation {
    /// Its key without our prefix; of a family with a word for what its members differ in.
    pub key: &'static str,
    /// The form of its value.
    pub value: &'static str,
    /// What holds without it.
    pub default: &'static str,
    pub modes: Modes,
    pub(super) set: Set,
}

/// In which modes an annotation means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    All,
    RefreshAndAgent,
    Agent,
}

/// How the text of an annotation becomes a part of a request.
#[derive(Debug)]
pub(super) enum Set {
    /// By its value, without the blanks around it.
    Value(for<'a> fn(&mut SecretsRequest<'a>, &'a str) -> Result<(), Bad>),
    /// By all of its text, whose lines count.
    Text(for<'a> fn(&mut SecretsRequest<'a>, &'a str)),
    /// By its text and by its key, which begins with this word and a dot, or is the word.
    Family(&'static str, for<'a> fn(&mut SecretsRequest<'a>, Member<'a>) -> Result<(), Bad>),
    /// The webhook writes it, and reads nothing from it.
    Written,
}

impl Modes {
    pub(super) fn include(self, mode: ModeName) -> bool {
        match self {
            Self::All => true,
            Self::RefreshAndAgent => mode != ModeName::Init,
            Self::Agent => mode == ModeName::Agent,
        }
    }

    /// As the documents have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::RefreshAndAgent => "`refresh`, `agent`",
            Self::Agent => "`agent`",
        }
    }
}

impl Annotation {
    /// The row of a key.
    pub(super) fn find(key: &str) -> Option<&'static Self> {
        ANNOTATIONS.iter().find(|row| match row.set {
            Set::Family(word, _) => member_name(word, key).is_some(),
            _ => row.key == key,
        })
    }

    /// Whether a Pod may have it, so that it may be proposed to one who misspelt something.
    pub(super) fn is_the_pods(&self) -> bool {
        !matches!(self.set, Set::Written)
    }
}

fn put<T>(place: &mut T, value: Result<T, Bad>) -> Result<(), Bad> {
    *place = value?;
    Ok(())
}

fn put_some<T>(place: &mut Option<T>, value: Result<T, Bad>) -> Result<(), Bad> {
    put(place, value.map(Some))
}

const DAY: u32 = 86_400;

const fn in_all(
    key: &'static str,
    value: &'static str,
    default: &'static str,
    set: for<'a> fn(&mut SecretsRequest<'a>, &'a str) -> Result<(), Bad>,
) -> Annotation {
    Annotation { key, value, default, modes: Modes::All, set: Set::Value(set) }
}

const fn while_current(
    key: &'static str,
    value: &'static str,
    default: &'static str,
    set: for<'a> fn(&mut SecretsRequest<'a>, &'a str) -> Result<(), Bad>,
) -> Annotation {
    Annotation { key, value, default, modes: Modes::RefreshAndAgent, set: Set::Value(set) }
}

const fn with_agent(
    key: &'static str,
    value: &'static str,
    default: &'static str,
    set: for<'a> fn(&mut SecretsRequest<'a>, &'a str) -> Result<(), Bad>,
) -> Annotation {
    Annotation { key, value, default, modes: Modes::Agent, set: Set::Value(set) }
}

/// Every annotation, in the order in which the documents have them.
pub static ANNOTATIONS: &[Annotation] = &[
    Annotation {
        key: "secrets",
        value: "a mapping, a list or a line of sources",
        default: "none",
        modes: Modes::All,
        set: Set::Text(|request, text| request.secrets = Some(text)),
    },
    in_all("secret-provider-class", "the name of a SecretProviderClass", "none", |_, value| {
        class_name(value)
    }),
    Annotation {
        key: "template.FILE",
        value: "text with `{{ secret(\"SOURCE\") }}` in it",
        default: "none",
        modes: Modes::All,
        set: Set::Family("template", template),
    },
    Annotation {
        key: "env",
        value: "a mapping `NAME: source`",
        default: "none",
        modes: Modes::All,
        set: Set::Family("env", env),
    },
    Annotation {
        key: "command.CONTAINER",
        value: "a JSON list of words",
        default: "none",
        modes: Modes::All,
        set: Set::Family("command", command),
    },
    in_all("env-method", "`auto`, `exec` or `file-key-ref`", "`auto`", |request, value| {
        put(&mut request.env_method, env_method(value))
    }),
    in_all("mode", "`init`, `refresh` or `agent`", "`init`", |request, value| {
        put(&mut request.mode, mode(value))
    }),
    while_current("refresh-interval", "10s to 24h", "`5m`", |request, value| {
        put_some(&mut request.refresh_interval, duration(value, 10, DAY))
    }),
    while_current("max-staleness", "`refresh-interval` to 720h", "forever", |request, value| {
        put_some(&mut request.max_staleness, duration(value, 10, 30 * DAY))
    }),
    while_current("on-revoked", "`keep`, `remove` or `fail`", "`keep`", |request, value| {
        put_some(&mut request.on_revoked, parsed(OnRevoked::parse(value)))
    }),
    while_current(
        "on-change",
        "`signal=SIGNAL:CONTAINER`, `http=URL` or `none`",
        "`none`",
        |request, value| put(&mut request.options.on_change, parsed(OnChange::parse(value))),
    ),
    while_current("metrics-port", "1024 to 65535", "none", |request, value| {
        put_some(&mut request.options.metrics_port, port(value))
    }),
    while_current("native-sidecar", "`auto`, `true` or `false`", "`auto`", |request, value| {
        put_some(&mut request.native_sidecar, native_sidecar(value))
    }),
    with_agent(
        "agent-secrets",
        "names and patterns of KMS secrets, separated by commas or lines",
        "the KMS secrets of `secrets`",
        |request, value| put_some(&mut request.agent.secrets, patterns(value)),
    ),
    with_agent("agent-port", "1024 to 65535", "`2025`", |request, value| {
        put_some(&mut request.agent.port, number(value, 1024, 65535, "as a port"))
    }),
    with_agent("agent-cache-ttl", "`0` or 1s to 1h", "`300s`", |request, value| {
        put_some(&mut request.agent.cache_ttl, cache_ttl(value))
    }),
    with_agent("agent-cache-size", "1 to 1000", "`1000`", |request, value| {
        let size = number(value, 1, 1000, "as a number of secrets");
        put_some(&mut request.agent.cache_size, size)
    }),
    with_agent("agent-max-connections", "1 to 1000", "`800`", |request, value| {
        put_some(&mut request.agent.max_connections, number(value, 1, 1000, "as a number"))
    }),
    with_agent("agent-response-type", "`0`, `1` or `2`", "`0`", |request, value| {
        put_some(&mut request.agent.response_type, parsed(ResponseType::parse(value)))
    }),
    with_agent(
        "agent-token-path",
        "a file in a directory of its own",
        "`/var/run/kmstoken/token`",
        |request, value| put_some(&mut request.agent.token_path, token_path(value)),
    ),
    in_all("mount-path", "an absolute directory", "`/mnt/secrets-store`", |request, value| {
        put_some(&mut request.mount_path, mount_path(value))
    }),
    in_all(
        "containers",
        "names of containers, separated by commas",
        "all but mesh proxies",
        |request, value| put_some(&mut request.containers, names(value)),
    ),
    in_all("init-first", "`auto`, `true` or `false`", "`auto`", |request, value| {
        put(&mut request.init_first, init_first(value))
    }),
    in_all("region", "a region id", "the operator's", |request, value| {
        put_some(&mut request.region, parsed(Region::parse(value)))
    }),
    in_all(
        "kms-endpoint",
        "a host, with or without `{region}`",
        "the region's",
        |request, value| put_some(&mut request.kms_endpoint, Ok(value)),
    ),
    in_all(
        "oos-endpoint",
        "a host, with or without `{region}`",
        "the region's",
        |request, value| put_some(&mut request.oos_endpoint, Ok(value)),
    ),
    in_all(
        "sts-endpoint",
        "a host, with or without `{region}`",
        "the region's",
        |request, value| put_some(&mut request.sts_endpoint, Ok(value)),
    ),
    in_all("path-translation", "one character, or `False`", "`_`", |request, value| {
        put_some(&mut request.path_translation, parsed(PathTranslation::parse(value)))
    }),
    in_all("ca-config-map", "the name of a ConfigMap", "the operator's", |request, value| {
        put_some(&mut request.ca_config_map, config_map(value))
    }),
    in_all("credentials", credentials::FORM, "`rrsa`", |request, value| {
        put(&mut request.credentials, RequestedCredentials::parse(value))
    }),
    in_all("role-arn", "`acs:ram::ACCOUNT:role/NAME`", "the ServiceAccount's", |request, value| {
        put_some(&mut request.role_arn, parsed(RoleArn::parse(value)))
    }),
    in_all(
        "oidc-provider-arn",
        "`acs:ram::ACCOUNT:oidc-provider/NAME`",
        "the cluster's",
        |request, value| {
            put_some(&mut request.oidc_provider_arn, parsed(ProviderArn::parse(value)))
        },
    ),
    in_all(
        "role-session-name",
        "2 to 64 letters, digits and `.@_-`",
        "the ServiceAccount's name",
        |request, value| {
            put_some(&mut request.role_session_name, parsed(SessionName::parse(value)))
        },
    ),
    in_all("role-session-expiration", "seconds, 900 to 43200", "`3600`", |request, value| {
        put_some(&mut request.role_session_expiration, number(value, 900, 43_200, "seconds"))
    }),
    in_all("external-id", "2 to 1224 letters, digits and `_+=,.@:/-`", "none", |request, value| {
        put_some(&mut request.external_id, parsed(ExternalId::parse(value)))
    }),
    in_all("cross-account-role-arn", "`acs:ram::ACCOUNT:role/NAME`", "none", |request, value| {
        put_some(&mut request.cross_account_role_arn, parsed(RoleArn::parse(value)))
    }),
    in_all(
        "service-account-token-expiration",
        "seconds, 600 to 43200",
        "`3600`",
        |request, value| {
            put_some(&mut request.token_expiration, number(value, 600, 43_200, "seconds"))
        },
    ),
    in_all("file-mode", "octal, `\"0400\"` to `\"0777\"`", "by who reads", |request, value| {
        put_some(&mut request.file_mode, parsed(FileMode::parse(value)))
    }),
    in_all("run-as-user", "1 to 2147483647", "the consumers', else 65532", |request, value| {
        put_some(&mut request.run_as_user, user(value))
    }),
    in_all("run-as-group", "0 to 2147483647", "the Pod's", |request, value| {
        let group = number(value, 0, i32::MAX.unsigned_abs(), "as a group id");
        put_some(&mut request.run_as_group, group)
    }),
    in_all("size-limit", "64Ki to 1Gi", "by the number of files", |request, value| {
        put_some(&mut request.size_limit, size(value))
    }),
    in_all("timeout", "1s to 1h", "`5m`", |request, value| {
        put_some(&mut request.timeout, duration(value, 1, 3600))
    }),
    in_all("on-missing", "`fail` or `skip`", "`fail`", |request, value| {
        put(&mut request.on_missing, parsed(OnMissing::parse(value)))
    }),
    in_all("log-level", "`error`, `warn`, `info` or `debug`", "`info`", |request, value| {
        put(&mut request.options.log_level, parsed(LogLevel::parse(value)))
    }),
    in_all("resources.requests.cpu", "a quantity", "`10m`", |request, value| {
        put_some(&mut request.resources.cpu_request, amount_to_request(value))
    }),
    in_all("resources.requests.memory", "a quantity", "`16Mi`", |request, value| {
        put_some(&mut request.resources.memory_request, amount_to_request(value))
    }),
    in_all("resources.limits.cpu", "a quantity", "none", |request, value| {
        put_some(&mut request.resources.cpu_limit, quantity(value))
    }),
    in_all(
        "resources.limits.memory",
        "a quantity",
        "32Mi and the size of the volumes",
        |request, value| put_some(&mut request.resources.memory_limit, quantity(value)),
    ),
    in_all("resources.requests.ephemeral-storage", "a quantity", "none", |request, value| {
        put_some(&mut request.resources.storage_request, quantity(value))
    }),
    in_all(
        "resources.limits.ephemeral-storage",
        "a quantity of 1Mi or more",
        "none",
        |request, value| put_some(&mut request.resources.storage_limit, storage(value)),
    ),
    Annotation {
        key: "status",
        value: "JSON",
        default: "written by the webhook",
        modes: Modes::All,
        set: Set::Written,
    },
];
