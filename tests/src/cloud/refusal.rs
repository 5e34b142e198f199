//! The errors of the services, with the status, code and message that they are known by.

use super::route::CalledService;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Raised by KMS itself and not by the gateway before it: its envelope differs.
    pub(crate) from_kms: bool,
    pub(crate) retry_after_millis: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            from_kms: false,
            retry_after_millis: None,
        }
    }

    pub(crate) fn kms(status: u16, code: &str, message: &str) -> Self {
        Self { from_kms: true, ..Self::new(status, code, message) }
    }

    /// The whole call is refused for what was said of a part of it.
    pub(crate) fn of_part(part: &serde_json::Value) -> Option<Self> {
        let status = u16::try_from(part["HttpStatus"].as_u64()?).ok()?;
        Some(Self::kms(status, part["Code"].as_str()?, part["Message"].as_str()?))
    }

    /// A refusal of the OIDC exchange: all of them have status 401.
    pub(crate) fn oidc(code: &str, message: &str) -> Self {
        Self::new(401, &format!("AuthenticationFail.{code}"), message)
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(
            400,
            &format!("Missing{parameter}"),
            &format!("{parameter} is mandatory for this action."),
        )
    }

    pub(crate) fn unknown_api() -> Self {
        Self::new(
            404,
            "InvalidApi.NotFound",
            "Specified api is not found,please check your url and method.",
        )
    }

    pub(crate) fn denied(service: CalledService, resource: &str) -> Self {
        match service {
            CalledService::Kms => Self::kms(
                403,
                "Forbidden.NoPermission",
                &format!("This operation for {resource} is forbidden by permission system."),
            ),
            CalledService::Oos => Self::new(
                403,
                "Forbidden.RAM",
                "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
            ),
            CalledService::Sts => Self::new(
                403,
                "NoPermission",
                "You are not authorized to do this action. You should be authorized by RAM.",
            ),
        }
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, millis: Option<u64>) -> Self {
        self.retry_after_millis = millis;
        self
    }
}
