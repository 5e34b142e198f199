//! The bodies of answers: a secret in one of three shapes, an error as JSON. Pure. A body with a
//! value is built in one piece of the right size, and wiped when nobody sends it any more.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud::Error;
use plan::ResponseType;
use secret::{Failure, Fetched, Metadata, Sensitive};
use serde::Serialize;
use serde_json::value::RawValue;

/// Where the secret is, for the shape that wants an ARN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretAddress<'a> {
    pub(crate) id: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
}

/// Returns `None` if the value is declared text but is not UTF-8.
pub(crate) fn secret(
    response_type: ResponseType,
    place: SecretAddress<'_>,
    fetched: &Fetched,
) -> Option<Bytes> {
    let encoded;
    let data = if fetched.metadata.binary {
        encoded = Sensitive::from(STANDARD.encode(fetched.value.expose()));
        encoded.expose()
    } else {
        fetched.value.expose()
    };
    let data = std::str::from_utf8(data).ok()?;
    match response_type {
        ResponseType::Kms => to_bytes(&Kms::new(place, fetched, data)),
        ResponseType::Aws => to_bytes(&Aws::new(place, fetched, data)),
        ResponseType::Vault => to_bytes(&Vault::new(fetched, data)),
    }
}

/// The answer of KMS to `GetSecretValue`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Kms<'a> {
    secret_name: &'a str,
    version_id: &'a str,
    secret_data: &'a str,
    secret_data_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_type: Option<&'a str>,
    version_stages: Stages<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    automatic_rotation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotation_date: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_interval: Option<&'a str>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stages<'a> {
    version_stage: &'a [String],
}

impl<'a> Kms<'a> {
    fn new(place: SecretAddress<'a>, fetched: &'a Fetched, data: &'a str) -> Self {
        let metadata = &fetched.metadata;
        Self {
            secret_name: name(place, metadata),
            version_id: &fetched.version,
            secret_data: data,
            secret_data_type: if metadata.binary { "binary" } else { "text" },
            secret_type: metadata.kind.as_deref(),
            version_stages: Stages { version_stage: &metadata.stages },
            create_time: metadata.created.as_deref(),
            automatic_rotation: metadata.automatic_rotation.as_deref(),
            last_rotation_date: metadata.last_rotation.as_deref(),
            next_rotation_date: metadata.next_rotation.as_deref(),
            rotation_interval: metadata.rotation_interval.as_deref(),
            request_id: &fetched.request_id,
        }
    }
}

/// The answer of AWS Secrets Manager to `GetSecretValue`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Aws<'a> {
    #[serde(rename = "ARN")]
    arn: String,
    name: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<&'a str>,
    version_stages: &'a [String],
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_date: Option<u64>,
}

impl<'a> Aws<'a> {
    fn new(place: SecretAddress<'a>, fetched: &'a Fetched, data: &'a str) -> Self {
        let metadata = &fetched.metadata;
        let name = name(place, metadata);
        let arn = if place.id.starts_with("acs:") {
            place.id.to_owned()
        } else {
            format!("acs:kms:{}:{}:secret/{name}", place.region, place.account)
        };
        Self {
            arn,
            name,
            version_id: &fetched.version,
            secret_string: (!metadata.binary).then_some(data),
            secret_binary: metadata.binary.then_some(data),
            version_stages: &metadata.stages,
            created_date: metadata.created.as_deref().and_then(secret::parse_iso8601),
        }
    }
}

/// The answer of the KV engine of HashiCorp Vault, version 2, to a read.
#[derive(Serialize)]
struct Vault<'a> {
    request_id: &'a str,
    lease_id: &'static str,
    renewable: bool,
    lease_duration: u32,
    data: VaultData<'a>,
    wrap_info: (),
    warnings: (),
    auth: (),
}

#[derive(Serialize)]
struct VaultData<'a> {
    data: VaultValue<'a>,
    metadata: VaultMetadata<'a>,
}

/// The secret's own object, or its text under one name.
#[derive(Serialize)]
#[serde(untagged)]
enum VaultValue<'a> {
    Object(&'a RawValue),
    Text { value: &'a str },
}

#[derive(Serialize)]
struct VaultMetadata<'a> {
    created_time: &'a str,
    custom_metadata: VaultCustom<'a>,
    deletion_time: &'static str,
    destroyed: bool,
}

#[derive(Serialize)]
struct VaultCustom<'a> {
    version_id: &'a str,
    version_stages: String,
}

impl<'a> Vault<'a> {
    fn new(fetched: &'a Fetched, data: &'a str) -> Self {
        let metadata = &fetched.metadata;
        let object = serde_json::from_str::<&RawValue>(data)
            .ok()
            .filter(|raw| !metadata.binary && raw.get().starts_with('{'));
        Self {
            request_id: &fetched.request_id,
            lease_id: "",
            renewable: false,
            lease_duration: 0,
            data: VaultData {
                data: object.map_or(VaultValue::Text { value: data }, VaultValue::Object),
                metadata: VaultMetadata {
                    created_time: metadata.created.as_deref().unwrap_or_default(),
                    custom_metadata: VaultCustom {
                        version_id: &fetched.version,
                        version_stages: metadata.stages.join(","),
                    },
                    deletion_time: "",
                    destroyed: false,
                },
            },
            wrap_info: (),
            warnings: (),
            auth: (),
        }
    }
}

fn name<'a>(place: SecretAddress<'a>, metadata: &'a Metadata) -> &'a str {
    metadata.name.as_deref().unwrap_or(place.id)
}

/// The largest secret as base64, and what else is said of it, fit into this. A text of control
/// characters would take six times as much, and clients that do not read keep their answers in
/// memory.
const MOST: usize = 96 * 1024;

/// Counts first, then writes: a buffer that grows leaves copies behind that nobody wipes.
fn to_bytes(body: &impl Serialize) -> Option<Bytes> {
    let mut size = Size(0);
    serde_json::to_writer(&mut size, body).ok()?;
    if size.0 > MOST {
        return None;
    }
    let mut bytes = Vec::with_capacity(size.0);
    serde_json::to_writer(&mut bytes, body).ok()?;
    Some(Bytes::from_owner(Body(Sensitive::new(bytes))))
}

struct Size(usize);

impl std::io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Body(Sensitive);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

/// Status and body of an error, as clients of the KMS Agent's model read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// A value that is kept is better than this answer.
    pub(crate) passes: bool,
}

impl ErrorResponse {
    pub(crate) fn new(status: u16, code: &str, message: &str, passes: bool) -> Self {
        #[derive(Serialize)]
        struct ErrorBody<'a> {
            __type: &'a str,
            message: &'a str,
        }
        // Writing text into memory does not fail.
        let body = serde_json::to_vec(&ErrorBody { __type: code, message }).unwrap_or_default();
        Self { status, body: body.into(), passes }
    }

    pub(crate) fn late(passes: bool) -> Self {
        Self::new(504, "TimeoutError", "KMS did not answer in time", passes)
    }

    /// A refusal of KMS keeps its status, code and words. A refusal of our identity would be taken
    /// for one of the secret, so that it does not keep them; as with the files, it takes nothing
    /// away.
    pub(crate) fn of(error: &Error) -> Self {
        let failure = error.failure();
        let passes = !error.is_revocation();
        match (error.status(), error.code()) {
            _ if failure == Failure::Identity => {
                let message = format!("the Pod's identity: {}", error.code().unwrap_or("no token"));
                Self::new(500, "InternalFailure", &message, passes)
            }
            (Some(status), Some(code)) if (400..600).contains(&status) => {
                Self::new(status, code, error.message().unwrap_or_default(), passes)
            }
            _ if error.is_timeout() => Self::late(passes),
            // Nothing was sent, because requests before it were throttled.
            _ if failure == Failure::Throttled => {
                let message = "KMS throttles the requests of this Pod's identity";
                Self::new(429, "Rejected.Throttling", message, passes)
            }
            _ if failure == Failure::Unreachable => {
                Self::new(502, "ConnectionError", "KMS could not be reached", passes)
            }
            _ => Self::new(500, "InternalFailure", "the answer of KMS cannot be used", passes),
        }
    }
}

#[cfg(test)]
mod tests;
