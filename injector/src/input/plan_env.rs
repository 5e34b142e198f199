//! The plan, as the webhook put it into the environment.

use std::ffi::OsString;

use plan::contract::PLAN_VARIABLE;
use plan::{InvalidPlan, Plan};

#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPlan {
    #[error("{PLAN_VARIABLE} is not set; the webhook sets it on the containers that it injects")]
    Missing,
    #[error("{PLAN_VARIABLE} is not UTF-8")]
    NotText,
    #[error("{PLAN_VARIABLE}: {0}")]
    Invalid(#[from] InvalidPlan),
}

pub(crate) fn plan(variable: Option<OsString>) -> Result<Plan, NoPlan> {
    let text = variable.ok_or(NoPlan::Missing)?.into_string().map_err(|_| NoPlan::NotText)?;
    Ok(Plan::decode(&text)?)
}
