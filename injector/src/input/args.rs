//! The command line. The webhook writes it for our container; people write it for local runs.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use plan::contract::{CA_DIRECTORY, CA_FILE, ENVIRONMENT_DIRECTORY};
use plan::{FetcherCommand, Host, TOKEN_DIRECTORY, TOKEN_FILE};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Init,
    Refresh,
    /// The sources, at least one.
    Get(Vec<String>),
    Probe,
    Version,
    Help,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) command: Command,
    /// Trusted beside the public CAs.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) connect_to: Vec<(String, SocketAddr)>,
    root: Option<PathBuf>,
    token: PathBuf,
    private_ca: PathBuf,
    termination_log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("no command; use init, refresh, get or probe")]
    NoCommand,
    #[error("unknown command {0:?}; use init, refresh, get or probe")]
    UnknownCommand(String),
    #[error("get needs a source; name one of the plan, or a file that it makes")]
    NoSource,
    #[error("--connect-to {0:?} is not HOST=ADDRESS:PORT, *.SUFFIX=ADDRESS:PORT or *=ADDRESS:PORT")]
    ConnectTo(String),
    #[error("{0}")]
    Syntax(#[from] lexopt::Error),
}

pub(crate) const HELP: &str = "\
Fetches the secrets of a plan from Alibaba Cloud and writes them as files.

Usage: secrets-injector [OPTIONS] COMMAND

Commands:
  init           fetch every secret of the plan once and write the files
  refresh        the same, and keep the files current until it is ended; with an agent in the
                 plan, answer requests for secrets on loopback too
  get SOURCE...  ask for sources of the plan, or for what a file holds; says who asked,
                 version, size and request id, or why not; never shows the value
  probe          check that every file of the plan is there, and that the agent answers

The plan is read from the environment variable SECRETS_INJECTOR_PLAN, where the webhook
puts it. Nothing else is read from the environment.

Options:
  --token FILE             ServiceAccount token that is exchanged for the role
                           [/var/run/secrets/kubernetes.io/serviceaccount/token]
  --private-ca FILE        CA of dedicated KMS gateways, if the plan has one
                           [/etc/kms-ca/ca.crt]
  --termination-log FILE   where the reason of a failure goes [/dev/termination-log]
  --version, --help

For local runs, without a cluster:
  --root DIR               put DIR before the mount and before the three paths above
  --ca FILE                CA to trust beside the public ones
  --connect-to HOST=ADDRESS:PORT
                           dial this address for HOST instead of asking DNS; HOST may be
                           *.SUFFIX or *; the certificate must still name the real host;
                           100.100.100.200, the metadata service of a node, has none;
                           may be given more than once

Exit codes:
    0  done; probe: all files are there
    1  probe: not all files are there
   10  the plan is missing, not valid, or of a newer version
   11  identity: the token is missing or not accepted, or the role cannot be assumed
   12  denied: the role may not read the secret
   13  not found: no such secret, version or stage
   14  throttled until the time was over
   15  the cloud was not reachable until the time was over
   16  local: the mount, a CA file or another thing of this container
   17  a value or an answer cannot be used
   18  refused for another reason, for instance a disabled secret
   19  mismatched: an answer came that is for another question
   64  usage: the command line is not valid
  143  ended by a signal before the files were written
When several sources fail, the code is that of the first one in the plan's order.
";

/// The one thing that is asked by its address and has no name.
const METADATA: &str = "100.100.100.200";

pub(crate) const TERMINATION_LOG: &str = "/dev/termination-log";

impl Args {
    /// `words` begins with the program's name, as a process gets it.
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut parser = Parser::from_iter(words);
        let mut args = Self {
            command: Command::Help,
            ca: None,
            connect_to: Vec::new(),
            root: None,
            token: Path::new(TOKEN_DIRECTORY).join(TOKEN_FILE),
            private_ca: Path::new(CA_DIRECTORY).join(CA_FILE),
            termination_log: PathBuf::from(TERMINATION_LOG),
        };
        let mut command: Option<Command> = None;
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("help") | Arg::Short('h') => return Ok(args),
                Arg::Long("version") | Arg::Short('V') => {
                    return Ok(Self { command: Command::Version, ..args });
                }
                Arg::Long("root") => args.root = Some(parser.value()?.into()),
                Arg::Long("token") => args.token = parser.value()?.into(),
                Arg::Long("private-ca") => args.private_ca = parser.value()?.into(),
                Arg::Long("ca") => args.ca = Some(parser.value()?.into()),
                Arg::Long("termination-log") => args.termination_log = parser.value()?.into(),
                Arg::Long("connect-to") => {
                    args.connect_to.push(connect_to(&parser.value()?.string()?)?);
                }
                Arg::Value(word) => match &mut command {
                    None => command = Some(parse_command(word.string()?)?),
                    Some(Command::Get(sources)) => sources.push(word.string()?),
                    Some(_) => return Err(Arg::Value(word).unexpected().into()),
                },
                other => return Err(other.unexpected().into()),
            }
        }
        match command {
            None => Err(UsageError::NoCommand),
            Some(Command::Get(sources)) if sources.is_empty() => Err(UsageError::NoSource),
            Some(command) => Ok(Self { command, ..args }),
        }
    }

    /// Whether this is a run on somebody's machine, where no kubelet made us a member of a group.
    pub(crate) fn is_local(&self) -> bool {
        self.root.is_some()
    }

    pub(crate) fn token(&self) -> PathBuf {
        self.under_root(&self.token)
    }

    /// The address to dial for the metadata service of the node, where another one is given.
    pub(crate) fn metadata(&self) -> Option<SocketAddr> {
        let is_metadata = |host: &str| host == METADATA || host == "*";
        let mut given = self.connect_to.iter().filter(|(host, _)| is_metadata(host));
        given.next().map(|(_, address)| *address)
    }

    pub(crate) fn private_ca(&self) -> PathBuf {
        self.under_root(&self.private_ca)
    }

    pub(crate) fn termination_log(&self) -> PathBuf {
        self.under_root(&self.termination_log)
    }

    pub(crate) fn mount(&self, mount: &plan::MountPath) -> PathBuf {
        self.under_root(Path::new(mount.as_str()))
    }

    pub(crate) fn environment(&self) -> PathBuf {
        self.under_root(Path::new(ENVIRONMENT_DIRECTORY))
    }

    /// Any path of the container.
    pub(crate) fn under_root(&self, path: &Path) -> PathBuf {
        under(self.root.as_deref(), path)
    }
}

/// A path of a container, below the directory that stands for its root in a local run.
pub(crate) fn under(root: Option<&Path>, path: &Path) -> PathBuf {
    match root {
        None => path.to_owned(),
        // Joining an absolute path would drop the root.
        Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
    }
}

fn parse_command(word: String) -> Result<Command, UsageError> {
    match FetcherCommand::parse(&word) {
        Some(FetcherCommand::Init) => Ok(Command::Init),
        Some(FetcherCommand::Refresh) => Ok(Command::Refresh),
        Some(FetcherCommand::Probe) => Ok(Command::Probe),
        None if word == "get" => Ok(Command::Get(Vec::new())),
        None => Err(UsageError::UnknownCommand(word)),
    }
}

fn connect_to(text: &str) -> Result<(String, SocketAddr), UsageError> {
    let bad = || UsageError::ConnectTo(text.to_owned());
    let (host, address) = text.split_once('=').ok_or_else(bad)?;
    let name = host.strip_prefix("*.").unwrap_or(host);
    if host != "*" && host != METADATA && Host::parse(name).is_err() {
        return Err(bad());
    }
    Ok((host.to_owned(), address.parse().map_err(|_| bad())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Args, UsageError> {
        Args::parse(["secrets-injector"].iter().chain(words).map(OsString::from))
    }

    #[test]
    fn commands_and_options_come_in_any_order() {
        assert_eq!(parse(&["init"]).unwrap().command, Command::Init);
        let args = parse(&["--root", "/r", "get", "kms://a", "--ca", "ca.pem", "b"]).unwrap();
        assert_eq!(args.command, Command::Get(vec!["kms://a".to_owned(), "b".to_owned()]));
        assert_eq!(args.ca, Some(PathBuf::from("ca.pem")));
        assert_eq!(parse(&["init", "--version"]).unwrap().command, Command::Version);
        assert_eq!(parse(&["-h"]).unwrap().command, Command::Help);
    }

    #[test]
    fn the_root_stands_before_every_path_of_the_container() {
        let mount = plan::MountPath::default();
        let plain = parse(&["init"]).unwrap();
        assert_eq!(plain.token(), Path::new(TOKEN_DIRECTORY).join(TOKEN_FILE));
        assert_eq!(plain.mount(&mount), Path::new("/mnt/secrets-store"));
        let local = parse(&["--root", "/r", "--token", "/t", "--private-ca", "p", "init"]).unwrap();
        assert_eq!(local.token(), Path::new("/r/t"));
        assert_eq!(local.private_ca(), Path::new("/r/p"));
        assert_eq!(local.termination_log(), Path::new("/r/dev/termination-log"));
        assert_eq!(local.mount(&mount), Path::new("/r/mnt/secrets-store"));
    }

    #[test]
    fn an_address_is_dialled_for_a_host_a_suffix_or_everything() {
        let args = parse(&[
            "--connect-to",
            "kms.cn-hangzhou.aliyuncs.com=127.0.0.1:443",
            "--connect-to=*.aliyuncs.com=[::1]:8443",
            "--connect-to=*=127.0.0.1:1",
            "init",
        ])
        .unwrap();
        let hosts: Vec<&str> = args.connect_to.iter().map(|(host, _)| host.as_str()).collect();
        assert_eq!(hosts, ["kms.cn-hangzhou.aliyuncs.com", "*.aliyuncs.com", "*"]);
        for bad in ["", "a.b", "a.b=", "a.b=localhost:1", "a.b=127.0.0.1", "=127.0.0.1:1", "*x=1"] {
            assert!(matches!(parse(&["--connect-to", bad, "init"]), Err(UsageError::ConnectTo(_))));
        }
    }

    #[test]
    fn what_does_not_exist_is_a_usage_error() {
        for words in [&[][..], &["exec"], &["init", "now"], &["--nope"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
        assert!(matches!(parse(&["get"]), Err(UsageError::NoSource)));
        assert!(matches!(parse(&["init", "--token"]), Err(UsageError::Syntax(_))));
    }
}
