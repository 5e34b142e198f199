//! Programs that read files of variables: the shells of this machine, and others by the versions
//! that `readers/` pins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::time::timeout;

/// Variables and their values.
pub(crate) type Variables = BTreeMap<String, String>;
/// What was found in each file by its name: nothing, where the reader says that it is none.
pub(crate) type Found = BTreeMap<String, Option<Variables>>;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/readers");
/// What decides what is installed.
const PINNED: [&str; 5] =
    ["requirements.txt", "package-lock.json", "package.json", "go.sum", "read.go"];

/// Downloads included, on a slow line.
const INSTALL: Duration = Duration::from_secs(900);
const READ: Duration = Duration::from_secs(300);

/// Variables that shells set by themselves.
const OF_SHELLS: [&str; 5] = ["PATH", "PWD", "OLDPWD", "SHLVL", "_"];

pub(crate) struct Reader {
    pub(crate) name: &'static str,
    /// Otherwise a value is the rest of its line.
    pub(crate) has_quotes: bool,
    command: Vec<OsString>,
    modules: PathBuf,
}

impl Reader {
    /// What it finds in the files of a folder.
    pub(crate) async fn read(&self, folder: &Path) -> Found {
        let (program, arguments) = self.command.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg(folder).env_clear().env("NODE_PATH", &self.modules);
        serde_json::from_slice(&run(&mut command, READ).await.unwrap()).unwrap()
    }
}

/// All that are pinned, installed where they are not yet; or why they cannot be had.
pub(crate) async fn installed() -> Result<Vec<Reader>, String> {
    let mut hash = Sha256::new();
    for file in PINNED {
        hash.update(fs::read(Path::new(SOURCES).join(file)).unwrap());
    }
    let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let home = target.join("dotenv-readers").join(hash);
    fs::create_dir_all(&home).unwrap();
    // Each test asks for them, and some at once: the first installs, the others wait for it.
    let turn = fs::File::create(home.join("lock")).unwrap();
    turn.lock().unwrap();
    let complete = home.join("complete");
    if !complete.exists() {
        install(&home).await?;
        fs::write(complete, "").unwrap();
    }
    drop(turn);
    let script = |name: &str| Path::new(SOURCES).join(name).into();
    let bin = |name: &str| home.join("python/bin").join(name).into();
    let reader = |name, has_quotes, command| {
        let modules = home.join("node_modules");
        Reader { name, has_quotes, command, modules }
    };
    let javascript =
        |name: &'static str| reader(name, true, vec![bin("node"), script("read.cjs"), name.into()]);
    let go = |name: &'static str, has_quotes| {
        reader(name, has_quotes, vec![home.join("read").into(), name.into()])
    };
    Ok(vec![
        reader("python-dotenv", true, vec![bin("python"), script("read.py")]),
        javascript("node"),
        javascript("dotenv"),
        javascript("dotenv-16"),
        go("godotenv", true),
        go("compose", true),
        go("docker", false),
    ])
}

async fn install(home: &Path) -> Result<(), String> {
    let python = home.join("python");
    let mut venv = Command::new("python3");
    run(venv.args(["-m", "venv", "--clear"]).arg(&python), INSTALL).await?;
    let mut pip = Command::new(python.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    run(pip.arg("-r").arg(Path::new(SOURCES).join("requirements.txt")), INSTALL).await?;

    for file in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(SOURCES).join(file), home.join(file)).unwrap();
    }
    let mut npm = Command::new(python.join("bin/npm"));
    let mut path = python.join("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).env("PATH", path);
    run(npm.current_dir(home), INSTALL).await?;

    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(home.join("read"));
    run(go.arg(".").current_dir(SOURCES), INSTALL).await?;
    Ok(())
}

/// What shells find that source the files of a folder, or why one cannot be run.
pub(crate) async fn sourced(folder: &Path) -> Vec<(&'static str, Result<Found, String>)> {
    let mut all = Vec::new();
    for (name, shell) in
        [("bash", ["bash"].as_slice()), ("dash", &["dash"]), ("busybox", &["busybox", "sh"])]
    {
        let Some((program, arguments)) = shell.split_first() else { continue };
        let out = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg(Path::new(SOURCES).join("read.sh")).arg(folder);
        command.arg(out.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        let ended = run(&mut command, READ).await;
        all.push((name, ended.map(|_| environments(out.path()))));
    }
    all
}

/// What `env -0` wrote into each file.
fn environments(folder: &Path) -> Found {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        let pairs = text.split_terminator('\0').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.filter(|(name, _)| !OF_SHELLS.contains(name));
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (entry.file_name().into_string().unwrap(), Some(pairs.collect()))
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

async fn run(command: &mut Command, patience: Duration) -> Result<Vec<u8>, String> {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    let what = format!("{:?}", command.as_std().get_program());
    let output = timeout(patience, command.output()).await.map_err(|_| format!("{what} hangs"))?;
    let output = output.map_err(|error| format!("{what}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(output.stdout) } else { Err(format!("{what} failed: {said}")) }
}
