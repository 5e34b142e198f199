//! An application that hears of changes: by a request, by a signal, or by watching a file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lab::closed_port::ClosedPort;
use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Running, Want, builder, plan};
use plan::{
    ContainerName, Environment, FetcherOptions, FileMode, FileName, FileOptions, Mode, OnChange,
    OnMissing, OnRevoked, Plan, Refresh, Selection, Variable, VariableName,
};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const INTERVAL: u32 = 10;
/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", "CANARY-1")).unwrap();
    cloud
}

fn rotate(cloud: &Cloud, value: &str) {
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/a"), VersionSeed::text(value)).unwrap();
}

fn told_by(hook: &str) -> FetcherOptions {
    FetcherOptions { on_change: OnChange::parse(hook).unwrap(), ..FetcherOptions::default() }
}

fn wanted(hook: &str) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, OnRevoked::Keep).unwrap()));
    builder.options(told_by(hook));
    plan(builder, &[Want::new("a", "kms://shop/a")]).unwrap()
}

/// A file and a variable of one secret.
fn with_variable(hook: &str) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, OnRevoked::Keep).unwrap()));
    builder.options(told_by(hook));
    let file = Want::new("a", "kms://shop/a");
    let value = Selection { from: builder.lookup(file.lookup().unwrap()), select: None };
    let exec = vec![ContainerName::parse("app").unwrap()];
    let variable = Variable::of_value(VariableName::parse("A").unwrap(), value, exec);
    builder.env(Some(Environment { mode: FileMode::ALL, variables: vec![variable] }));
    plan(builder, &[file]).unwrap()
}

/// What this call named, which the status file and both volumes name too.
async fn names_the_generation(container: &Container, server: &Server, call: usize) -> String {
    server.is_asked(call).await;
    let head = server.asked().pop().unwrap();
    let named = head.lines().find_map(|line| line.strip_prefix("x-secrets-generation: ")).unwrap();
    let sentinel = std::fs::read_to_string(container.mount().join(".kms-generation")).unwrap();
    assert_eq!(sentinel.trim_end(), named);
    loop {
        let status = std::fs::read(container.mount().join(".kms-status.json")).unwrap();
        let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
        if status["told"] == named {
            return named.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_variables_that_change_together_are_one_generation_whatever_the_clock_says() {
    let (cloud, server) = (cloud().await, Server::new(&[]).await);
    let container = Container::new(&cloud).unwrap();
    let plan = with_variable(&server.hook());
    let mut first = running(&container, &plan).await;
    let variables = || std::fs::read_link(container.environment().join("..data")).unwrap();
    rotate(&cloud, "CANARY-2");
    let named = names_the_generation(&container, &server, 1).await;
    assert_eq!(variables(), Path::new(&named));
    first.signal(Signal::KILL).unwrap();
    first.ended().await.unwrap();

    // As one leaves it that ends between the volumes, when the clock was far ahead.
    let ahead = "..2099_12_31_23_59_59.999999999";
    let (now, later) = (container.mount().join(&named), container.mount().join(ahead));
    std::fs::rename(now, &later).unwrap();
    std::fs::remove_file(later.join(".kms-generation")).unwrap();
    std::fs::write(later.join(".kms-generation"), format!("{ahead}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o444);
    std::fs::set_permissions(later.join(".kms-generation"), mode).unwrap();
    std::fs::remove_file(container.mount().join("..data")).unwrap();
    std::os::unix::fs::symlink(ahead, container.mount().join("..data")).unwrap();
    let second = container.start(&plan, &["refresh"]).unwrap();
    assert_eq!(names_the_generation(&container, &server, 2).await, ahead);
    rotate(&cloud, "CANARY-3");
    let named = names_the_generation(&container, &server, 3).await;
    assert!(named.as_str() > ahead, "{named}");
    assert_eq!(variables(), Path::new(&named));
    ends_well(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_was_told_hides_no_template_that_fails() {
    let (cloud, server) = (cloud().await, Server::new(&[]).await);
    rotate(&cloud, r#"{"v":"CANARY-2"}"#);
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.mode(Mode::Refresh(Refresh::new(INTERVAL, None, OnRevoked::Keep).unwrap()));
    builder.options(told_by(&server.hook()));
    let (file, text) = (Want::new("a", "kms://shop/a"), "{{ json(secret(\"kms://shop/a\")).v }}");
    let secrets = vec![("kms://shop/a".to_owned(), file.lookup().unwrap(), None)];
    let name = FileName::parse("t").unwrap();
    builder.template(
        name,
        text.to_owned(),
        secrets,
        FileOptions::new(FileMode::OWNER, OnMissing::Fail),
    );
    let running = running(&container, &plan(builder, &[file]).unwrap()).await;
    rotate(&cloud, r#"{"w":"CANARY-3"}"#);
    names_the_generation(&container, &server, 1).await;
    let status = std::fs::read(container.mount().join(".kms-status.json")).unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
    assert_eq!(status["templates"][0]["file"], "t", "{status}");
    ends_well(running).await;
}

async fn running(container: &Container, plan: &Plan) -> Running {
    let running = container.start(plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    running
}

/// The name of the generation that applications see.
fn shown(container: &Container) -> String {
    let target = std::fs::read_link(container.mount().join("..data")).unwrap();
    target.to_str().unwrap().to_owned()
}

async fn ends_well(mut running: Running) {
    running.signal(Signal::TERM).unwrap();
    assert_eq!(running.ended().await.unwrap().code(), Some(0), "{}", running.log());
    assert!(!running.log().contains("CANARY"), "{}", running.log());
}

/// A server of the application. It answers as it is told, one connection after the other, and in
/// the end always well.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Server {
    /// An empty answer never comes.
    async fn new(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, heads) = (listener.local_addr().unwrap().port(), Arc::default());
        let mut task = JoinSet::new();
        task.spawn(serve(listener, answers, Arc::clone(&heads)));
        Self { port, heads, _task: task }
    }

    fn hook(&self) -> String {
        format!("http=http://127.0.0.1:{}/-/reload", self.port)
    }

    /// What it was asked so far, each as its lines in lower case.
    fn asked(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    async fn is_asked(&self, times: usize) {
        let looks = async {
            while self.asked().len() < times {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let asked = tokio::time::timeout(PATIENCE, looks).await;
        assert!(asked.is_ok(), "asked {} times, not {times}", self.asked().len());
    }
}

async fn serve(listener: TcpListener, answers: &[&str], heads: Arc<Mutex<Vec<String>>>) {
    let mut open = Vec::new();
    for answer in answers.iter().chain(std::iter::repeat(&"HTTP/1.1 204 No Content\r\n\r\n")) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap() > 0 {}
        heads.lock().unwrap().push(String::from_utf8(head).unwrap().to_lowercase());
        stream.write_all(answer.as_bytes()).await.unwrap();
        if answer.is_empty() {
            open.push(stream);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_one_request_without_a_body_and_the_first_files_are_none() {
    let (cloud, server) = (cloud().await, Server::new(&[]).await);
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(&server.hook())).await;
    let first = shown(&container);
    // A round in which nothing changes.
    while cloud.counters().requests["kms.GetSecretValue"] < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    rotate(&cloud, "CANARY-2");
    running.says("was told of the change", 1).await.unwrap();
    let second = shown(&container);
    assert_ne!(first, second);
    let asked = server.asked();
    let [head] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(head.starts_with("post /-/reload http/1.1\r\n"), "{head}");
    for line in [
        format!("host: 127.0.0.1:{}", server.port),
        "content-length: 0".to_owned(),
        format!("x-secrets-generation: {second}"),
    ] {
        assert_eq!(head.lines().filter(|other| **other == line).count(), 1, "{line}: {head}");
    }
    assert!(!head.contains("canary"), "{head}");
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_redirects_or_talks_nonsense_is_asked_again() {
    let (cloud, elsewhere) = (cloud().await, Server::new(&[]).await);
    let moved = format!("HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:{}/\r\n\r\n", elsewhere.port);
    let answers: &'static [&'static str] = Box::leak(Box::new([
        &*Box::leak(moved.into_boxed_str()),
        "HTTP/1.1 500 x\r\nContent-Length: 6\r\n\r\nCANARY",
        "SMTP CANARY\r\n\r\n",
    ]));
    let server = Server::new(answers).await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(&server.hook())).await;
    rotate(&cloud, "CANARY-2");
    running.says("was told of the change", 1).await.unwrap();
    let log = running.log();
    for words in ["status 307; only 2xx", "status 500", "no answer that is HTTP"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert_eq!((server.asked().len(), elsewhere.asked().len()), (4, 0));
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_no_secret_up_and_hears_of_the_last_change_alone() {
    let (cloud, server) = (cloud().await, Server::new(&["", ""]).await);
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted(&server.hook())).await;
    rotate(&cloud, "CANARY-2");
    server.is_asked(1).await;
    // While it is being waited for, and tried again.
    rotate(&cloud, "CANARY-3");
    container.shows("a", Some(b"CANARY-3")).await.unwrap();
    running.says("was told of the change", 1).await.unwrap();
    let last = server.asked().last().unwrap().clone();
    assert!(last.contains(&format!("x-secrets-generation: {}\r\n", shown(&container))), "{last}");
    assert!(running.log().contains("no answer within 5 seconds"), "{}", running.log());
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_told_is_owed_also_by_the_next_process() {
    let (cloud, server) = (cloud().await, Server::new(&[]).await);
    let container = Container::new(&cloud).unwrap();
    let closed = ClosedPort::new().unwrap();
    let deaf = wanted(&format!("http=http://{}/", closed.address().unwrap()));
    let mut before = running(&container, &deaf).await;
    rotate(&cloud, "CANARY-2");
    before.says("could not be told of a change: no connection", 1).await.unwrap();
    before.signal(Signal::KILL).unwrap();
    before.ended().await.unwrap();
    let after = container.start(&wanted(&server.hook()), &["refresh"]).unwrap();
    after.says("was told of the change", 1).await.unwrap();
    assert_eq!(server.asked().len(), 1);
    ends_well(after).await;
    // A fetcher that starts once more owes nothing; the next thing that is told is the next change.
    let again = container.start(&wanted(&server.hook()), &["refresh"]).unwrap();
    again.says("the files are there already", 1).await.unwrap();
    rotate(&cloud, "CANARY-3");
    again.says("was told of the change", 1).await.unwrap();
    let asked = server.asked();
    assert!(asked.last().unwrap().contains(&shown(&container)), "{asked:?}");
    let heard: std::collections::HashSet<_> = asked.iter().collect();
    assert_eq!(heard.len(), asked.len(), "a change was told twice: {asked:?}");
    ends_well(again).await;
}

/// A process of the application, ended with this.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes its name into a file of this directory when it is told, as its first process alone does:
/// those that it starts have its environment too.
fn listening(name: &str, told: &Path) -> String {
    let file = told.join(name);
    let (file, ready) = (file.display(), told.join(format!("{name}-ready")));
    let ready = ready.display();
    format!("trap 'echo told >> {file}' USR1; : > {ready}; while :; do sleep 0.1; done")
}

async fn appears(path: &Path) {
    let looks = async {
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let appeared = tokio::time::timeout(PATIENCE, looks).await;
    assert!(appeared.is_ok(), "{} did not appear", path.display());
}

/// A name of this test and no other on the machine.
fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_goes_to_the_first_process_of_its_container_and_to_no_other() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let (app, told) = (unique("signalled"), tempfile::tempdir().unwrap());
    let shell = |name: &str, target: &str| {
        let mut command = Command::new("sh");
        command.arg("-c").arg(listening(name, told.path())).env("SECRETS_INJECTOR_TARGET", target);
        Process::start(&mut command)
    };
    let _other = shell("other", &format!("{app}-2"));
    let _app = shell("app", &app);
    appears(&told.path().join("app-ready")).await;
    // As `kubectl exec` starts it: with the container's environment, later.
    let _later = shell("later", &app);
    appears(&told.path().join("later-ready")).await;
    appears(&told.path().join("other-ready")).await;
    let running = running(&container, &wanted(&format!("signal=SIGUSR1:{app}"))).await;
    rotate(&cloud, "CANARY-2");
    appears(&told.path().join("app")).await;
    running.says("was told of the change", 1).await.unwrap();
    assert!(!told.path().join("other").exists() && !told.path().join("later").exists());
    ends_well(running).await;
}

/// A script that mounts this file, as the kubelet does one for each container, and goes on as `then`.
fn keeping(kept: &Path, then: &str) -> String {
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::write(kept, "").unwrap();
    format!("mount --bind {0} {0} && exec {then}", kept.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_wiped_its_environment_is_found_by_what_the_kubelet_mounted() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let (app, told) = (unique("wiped"), tempfile::tempdir().unwrap());
    let kept = |container: &str| told.path().join(format!("pods/0a-1/containers/{container}/7f3c"));
    let wiped = |name: &str| {
        format!(
            "env -i sh -c 'PATH=/usr/bin:/bin; {}'",
            listening(name, told.path()).replace('\'', "\"")
        )
    };
    // The user namespace that the containers of the Pod have.
    let pod = Process::start(Command::new("unshare").args([
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        "echo > \"$0\"; exec sleep 600",
        told.path().join("pod-ready").to_str().unwrap(),
    ]));
    appears(&told.path().join("pod-ready")).await;
    let namespace = format!("--user=/proc/{}/ns/user", pod.0.id());
    let inside = ["nsenter", &namespace, "unshare", "--mount", "sh", "-ec"];
    // One of the same user that makes itself another one, where it mounts what it likes.
    let own = told.path().join("own");
    let forged = own.join(format!("pods/0a-1/containers/{app}"));
    let (own, forged) = (own.display(), forged.display());
    let script = format!(
        "mkdir {own}; mount -t tmpfs t {own}; mkdir -p {forged}; : > {forged}/7f3c; \
         mount --bind {forged}/7f3c {forged}/7f3c; exec {}",
        wiped("thief")
    );
    let mut thief = Command::new("unshare");
    let _thief =
        Process::start(thief.args(["--user", "--map-root-user", "--mount", "sh", "-ec", &script]));
    appears(&told.path().join("thief-ready")).await;
    let script = keeping(&kept(&app), &wiped("app"));
    let _app = Process::start(Command::new(inside[0]).args(&inside[1..]).arg(script));
    appears(&told.path().join("app-ready")).await;
    let script = keeping(&kept("kms-secrets"), "\"$0\" \"$@\"");
    let under: Vec<&str> = inside.into_iter().chain([script.as_str()]).collect();
    let plan = wanted(&format!("signal=SIGUSR1:{app}"));
    let running = container.start_under(&under, &plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    rotate(&cloud, "CANARY-2");
    appears(&told.path().join("app")).await;
    running.says("was told of the change", 1).await.unwrap();
    assert!(!told.path().join("thief").exists());
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_does_not_run_is_looked_for_again_and_then_given_up() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let app = unique("gone");
    let running = running(&container, &wanted(&format!("signal=SIGUSR1:{app}"))).await;
    rotate(&cloud, "CANARY-2");
    running.says("the application is not told of this change", 1).await.unwrap();
    let log = running.log();
    assert_eq!(
        log.matches(&format!("no process of container {app} was found")).count(),
        5,
        "{log}"
    );
    rotate(&cloud, "CANARY-3");
    container.shows("a", Some(b"CANARY-3")).await.unwrap();
    ends_well(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_mount_names_the_generation_that_is_shown() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let running = running(&container, &wanted("none")).await;
    let sentinel = container.mount().join(".kms-generation");
    let names = || std::fs::read_to_string(&sentinel).unwrap();
    assert_eq!(names(), format!("{}\n", shown(&container)));
    let first = names();
    rotate(&cloud, "CANARY-2");
    container.shows("a", Some(b"CANARY-2")).await.unwrap();
    assert_eq!(names(), format!("{}\n", shown(&container)));
    assert!(names() > first);
    ends_well(running).await;
}
