//! Runs the offline commands of the real binary.

use std::io::Write as _;
use std::process::{Command, Stdio};

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// With the settings that a cluster would have, and nothing of this machine's environment.
pub(crate) fn secrets_webhook(args: &[&str], stdin: impl AsRef<[u8]>) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secrets-webhook"))
        .args(args)
        .args(["--setting", "region=cn-hangzhou", "--setting", "accountId=1234567890123456"])
        .args(["--setting", "clusterId=c0123456789abcdef"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) const ACCOUNT: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: shop
  annotations:
    ack.alibabacloud.com/role-arn: acs:ram::1234567890123456:role/shop
";

/// A Pod template, annotated and not, to be indented under what holds it.
pub(crate) const TEMPLATE: &str = "\
metadata:
  annotations:
    kms.alibabacloud/secrets: 'db.json: kms://db'
spec:
  serviceAccountName: shop
  fieldOfTheFuture: {deep: [1.10, yes, 0o17]}
  containers:
    - name: app # the shop
      image: shop:1.10
";

pub(crate) fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}
