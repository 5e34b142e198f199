//! What a SecretProviderClass of the Secrets Store CSI driver says to the provider of Alibaba Cloud, and
//! what is known of the one that a Pod names.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// What is known of the SecretProviderClass that a Pod names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// There is no cluster to ask.
    Unknown,
    /// The Pod's namespace has none of this name.
    Missing,
    /// The Pod's namespace does not have the label without which nothing in it is read.
    NotOptedIn,
    Unusable(UnusableClass),
    Known(Arc<SecretProviderClass>),
    /// The cluster did not say, for this reason, which is the end of a sentence.
    Unreadable(String),
}

/// What is wrong with a class as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableClass {
    #[error("it is not {PROVIDER}: the class is for another provider")]
    Foreign,
    #[error("it is missing, or no text")]
    NoProvider,
    #[error("they are missing, or no mapping")]
    NoParameters,
    #[error("it is missing, or not as the CSI driver has it")]
    Malformed,
    #[error("the class is too large: its parameters may have {} KiB together", MOST_BYTES / 1024)]
    TooLarge,
}

/// The part that counts of a class for this provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretProviderClass {
    pub(crate) parameters: Vec<ClassParameter>,
    /// Whether Kubernetes Secrets are to be made of it.
    pub(crate) has_secret_objects: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassParameter {
    pub(crate) name: String,
    /// Its text, or what it is instead.
    pub(crate) value: Result<String, &'static str>,
}

#[derive(Deserialize)]
struct ClassObject {
    spec: Option<Spec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    provider: Option<Value>,
    parameters: Option<Value>,
    secret_objects: Option<Vec<IgnoredAny>>,
}

impl Class {
    /// From a class as JSON.
    #[must_use]
    pub fn read(json: &str) -> Self {
        match SecretProviderClass::read(json) {
            Ok(class) => Self::Known(Arc::new(class)),
            Err(unusable) => Self::Unusable(unusable),
        }
    }
}

impl UnusableClass {
    /// What to do about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Foreign => "name a class of this provider",
            Self::NoProvider => "write provider: alibabacloud",
            Self::NoParameters => "write objects: | below them, and under it the list of secrets",
            Self::Malformed => "correct it as `kubectl explain secretproviderclass.spec` says",
            Self::TooLarge => "make several classes of it, or remove labels and annotations",
        }
    }

    /// The field that it is about, on the way from `spec`.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Foreign | Self::NoProvider => "provider",
            Self::NoParameters | Self::TooLarge => "parameters",
            Self::Malformed => "spec",
        }
    }
}

impl SecretProviderClass {
    fn read(json: &str) -> Result<Self, UnusableClass> {
        let object: ClassObject =
            serde_json::from_str(json).map_err(|_| UnusableClass::Malformed)?;
        let Spec { provider, parameters, secret_objects } =
            object.spec.ok_or(UnusableClass::Malformed)?;
        match provider {
            Some(Value::String(name)) if name == PROVIDER => {}
            Some(Value::String(_)) => return Err(UnusableClass::Foreign),
            _ => return Err(UnusableClass::NoProvider),
        }
        let Some(Value::Object(parameters)) = parameters else {
            return Err(UnusableClass::NoParameters);
        };
        if bytes(&parameters) > MOST_BYTES {
            return Err(UnusableClass::TooLarge);
        }
        let has_secret_objects = secret_objects.is_some_and(|objects| !objects.is_empty());
        let parameters =
            parameters.into_iter().map(|(name, value)| ClassParameter::new(name, value));
        Ok(Self { parameters: parameters.collect(), has_secret_objects })
    }
}

impl ClassParameter {
    fn new(name: String, value: Value) -> Self {
        let value = match value {
            Value::String(text) => Ok(text),
            Value::Null => Err("nothing"),
            Value::Bool(_) => Err("a boolean"),
            Value::Number(_) => Err("a number"),
            Value::Array(_) => Err("a list"),
            Value::Object(_) => Err("a mapping"),
        };
        Self { name, value }
    }
}

fn bytes(parameters: &Map<String, Value>) -> usize {
    let of_value = |value: &Value| value.as_str().map_or(0, str::len);
    parameters.iter().map(|(name, value)| name.len() + of_value(value)).sum()
}

const PROVIDER: &str = "alibabacloud";
/// As much YAML as all annotations of a Pod may have.
pub(crate) const MOST_BYTES: usize = 64 * 1024;
