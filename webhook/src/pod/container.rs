//! A container of the Pod, as far as it decides.

use std::borrow::Cow;

use plan::ExecLine;
use serde::Deserialize;

use super::amount::Amount;
use super::list::Capped;
use super::mount::VolumeMount;
use super::text::{self, Text, null_default};
use super::variable::Variable;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) command: Option<Capped<Text<'a>>>,
    #[serde(borrow, default)]
    pub(crate) args: Option<Capped<Text<'a>>>,
    #[serde(borrow, default)]
    pub(crate) env: Option<Capped<Variable<'a>>>,
    #[serde(borrow, default)]
    pub(crate) volume_mounts: Option<Capped<VolumeMount<'a>>>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) security_context: Security<'a>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) resources: Resources<'a>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) restart_policy: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) ports: Option<Capped<Port<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Port<'a> {
    #[serde(default)]
    pub(crate) container_port: Option<i64>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) protocol: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Security<'a> {
    #[serde(default)]
    pub(crate) run_as_user: Option<i64>,
    #[serde(default)]
    pub(crate) run_as_group: Option<i64>,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) privileged: bool,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) capabilities: Capabilities<'a>,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) windows_options: WindowsOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WindowsOptions {
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) host_process: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Capabilities<'a> {
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) add: Capped<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) drop: Capped<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Resources<'a> {
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) requests: Amounts<'a>,
    #[serde(borrow, default, deserialize_with = "null_default")]
    pub(crate) limits: Amounts<'a>,
}

impl Resources<'_> {
    pub(crate) fn say_something(&self) -> bool {
        [&self.requests, &self.limits].iter().any(|it| it.cpu.is_some() || it.memory.is_some())
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Amounts<'a> {
    #[serde(borrow, default)]
    pub(crate) cpu: Option<Amount<'a>>,
    #[serde(borrow, default)]
    pub(crate) memory: Option<Amount<'a>>,
}

impl Container<'_> {
    pub(crate) fn is_native_sidecar(&self) -> bool {
        self.restart_policy.as_deref() == Some("Always")
    }

    pub(crate) fn mounts(&self) -> &[VolumeMount<'_>] {
        self.volume_mounts.as_deref().unwrap_or_default()
    }

    pub(crate) fn env(&self) -> &[Variable<'_>] {
        self.env.as_deref().unwrap_or_default()
    }

    /// Its command as it was written, without our program before it.
    pub(crate) fn own_command(&self) -> &[Text<'_>] {
        let command = self.command.as_deref().unwrap_or_default();
        ExecLine::parse(command).map_or(command, |line| line.command)
    }

    /// The TCP ports that it declares.
    pub(crate) fn tcp_ports(&self) -> impl Iterator<Item = u16> {
        let ports = self.ports.iter().flatten();
        let tcp = ports.filter(|port| port.protocol.as_deref().is_none_or(|known| known == "TCP"));
        tcp.filter_map(|port| u16::try_from(port.container_port?).ok())
    }
}
