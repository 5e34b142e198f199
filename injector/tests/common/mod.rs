//! A directory that stands for a container's root, and the real binary run in it.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plan::{
    AlibabaLookup, FileMode, FileName, FileOptions, MountPath, OnMissing, Plan, PlanBuilder,
    ProviderArn, Reference, Region, RoleArn, RoleSession, Rrsa, SessionName,
};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";
pub(crate) const MOUNT: &str = "mnt/secrets-store";

pub(crate) struct Container(TempDir);

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What was left where the kubelet looks for it.
    pub(crate) message: Option<String>,
}

impl Container {
    /// With an empty mount and a token that no cloud accepts.
    pub(crate) fn new() -> Self {
        let container = Self(tempfile::tempdir().unwrap());
        for directory in [MOUNT, "dev", Path::new(TOKEN).parent().unwrap().to_str().unwrap()] {
            fs::create_dir_all(container.path(directory)).unwrap();
        }
        fs::write(container.path(TOKEN), "a.b.c").unwrap();
        container
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    pub(crate) fn command(&self, plan: Option<&str>, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-injector"));
        command.env_clear().arg("--root").arg(self.0.path()).args(words);
        if let Some(plan) = plan {
            command.env("SECRETS_INJECTOR_PLAN", plan);
        }
        command
    }

    pub(crate) fn run(&self, plan: Option<&str>, words: &[&str]) -> Ended {
        self.ended(&self.command(plan, words).output().unwrap())
    }

    pub(crate) fn ended(&self, output: &Output) -> Ended {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
            message: fs::read_to_string(self.path("dev/termination-log")).ok(),
        }
    }
}

/// A plan with one file for each source, called after its short name.
pub(crate) fn plan(sources: &[&str]) -> String {
    let rrsa = Rrsa {
        role: RoleArn::parse("acs:ram::1234567890123456:role/app").unwrap(),
        named_by: plan::RoleNamer::default(),
        provider: ProviderArn::parse("acs:ram::1234567890123456:oidc-provider/ack").unwrap(),
        sts: RoleSession {
            session: SessionName::parse("shop.checkout").unwrap(),
            duration: 900,
            region: Region::parse("cn-hangzhou").unwrap(),
            endpoint: None,
        },
    };
    let mut builder = PlanBuilder::new(rrsa, MountPath::default());
    builder.timeout_seconds(1);
    for source in sources {
        let reference = Reference::parse(source).unwrap();
        let source = reference.source.into_alibaba().unwrap();
        let name = FileName::parse(source.name()).unwrap();
        let lookup = AlibabaLookup::in_region(source, Region::parse("cn-hangzhou").unwrap());
        let options = FileOptions::new(FileMode::OWNER, OnMissing::Fail);
        builder.file(name, lookup.into(), reference.selector, options);
    }
    let plan: Plan = builder.build().unwrap();
    plan.encode().unwrap()
}
