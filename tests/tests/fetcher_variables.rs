//! Environment variables: written for containers, set at the start of an application, and nothing
//! of ours left in it.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};

use lab::cloud::{Cloud, CloudConfig, SecretSeed, Seed, StoredPlace, VersionSeed};
use lab::fetcher::{ACCOUNT, Container, Want, builder};
use plan::contract::ENVIRONMENT_PROGRAM;
use plan::{
    AlibabaLookup, ContainerName, Environment, FileMode, Mode, OnRevoked, Plan, Reference, Refresh,
    Region, Selection, Variable, VariableName,
};

const VALUE: &str = "CANARY 'a' \"b\" $HOME\nä";

async fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/text", VALUE)).unwrap();
    cloud
}

/// As `NAME`, `SOURCE`, containers that are started with it, containers that the kubelet reads for.
type Set<'t> = (&'t str, &'t str, &'t [&'t str], &'t [&'t str]);

fn planned(sets: &[Set<'_>], mode: Mode) -> Plan {
    let mut builder = builder().unwrap();
    builder.mode(mode);
    let names = |names: &[&str]| {
        names.iter().map(|name| ContainerName::parse(name).unwrap()).collect::<Vec<_>>()
    };
    let variables = sets.iter().map(|(name, source, exec, read)| {
        let Reference { source, selector } = Reference::parse(source).unwrap();
        let source = source.into_alibaba().unwrap();
        let region = Region::parse("cn-hangzhou").unwrap();
        let from = builder.lookup(AlibabaLookup::in_region(source, region).into());
        let value = Selection { from, select: selector };
        let variable = Variable::of_value(VariableName::parse(name).unwrap(), value, names(exec));
        Variable { file_key_ref: names(read), ..variable }
    });
    let variables = variables.collect();
    builder.env(Some(Environment { mode: FileMode::ALL, variables }));
    builder.build().unwrap()
}

/// What a container is started with beside its variables.
fn started(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.env_clear().env("PATH", "/usr/bin:/bin").env("OWN", "1").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn direct(words: &[&str]) -> Command {
    let (program, rest) = words.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(rest);
    command
}

async fn filled(cloud: &Cloud, plan: &Plan) -> Container {
    let container = Container::new(cloud).unwrap();
    let ended = container.init(plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert!(!ended.said().contains("CANARY"), "{}", ended.said());
    container
}

#[tokio::test(flavor = "multi_thread")]
async fn each_container_starts_with_its_own_variables_and_nothing_else_of_ours() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 3] = [
        ("TEXT", "kms://shop/text", &["app", "app-2"], &[]),
        ("PORT", "kms://shop/db#port", &["app"], &[]),
        ("OWN", "kms://shop/db#username", &["app-2"], &[]),
    ];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    let environ = ["/bin/cat", "/proc/self/environ"];
    let of = |name: &str| {
        let (code, out, _) = started(container.exec(name, &environ));
        assert_eq!(code, Some(0));
        let mut all: Vec<String> = out.split_terminator('\0').map(str::to_owned).collect();
        all.sort();
        all
    };
    let text = format!("TEXT={VALUE}");
    assert_eq!(of("app"), ["OWN=1", "PATH=/usr/bin:/bin", "PORT=5432", text.as_str()]);
    assert_eq!(of("app-2"), ["OWN=shop", "PATH=/usr/bin:/bin", text.as_str()]);
    assert_eq!(of("other"), ["OWN=1", "PATH=/usr/bin:/bin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_runs_as_if_it_had_been_started_directly() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    // Signals that are ignored or blocked, limits, open files, the name it was called by, and
    // whether others of its user may look into it. Not how many signals wait for its user.
    for look in [
        "grep -E '^(Sig[^Q]|Shd|Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups)' /proc/self/status",
        "cat /proc/self/limits",
        "ls /proc/self/fd",
        "cat /proc/$$/cmdline",
        "pwd; umask",
    ] {
        // By its path, or the two are not started in the same way.
        let words = ["/bin/sh", "-c", look];
        let (code, through, _) = started(container.exec("app", &words));
        let (_, directly, _) = started(direct(&words));
        assert_eq!((code, through), (Some(0), directly));
    }
}

/// A user of the Pod who is not the fetcher's, and not root.
fn as_somebody(container: &Container, words: &[&str]) -> (Option<i32>, String, String) {
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(container.path(""), open).unwrap();
    let mut command = direct(&["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]);
    let exec = container.exec("app", words);
    command.arg(exec.get_program()).args(exec.get_args());
    command.env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_is_an_ordinary_process_of_its_user() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    // This file of a process that nobody may look into would belong to root.
    let look = ["sh", "-c", "stat -c %u /proc/$$/environ"];
    let (code, owner, said) = as_somebody(&container, &look);
    assert_eq!((code, owner.as_str()), (Some(0), "1000\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_the_variables_is_told_so() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    let data = container.environment().join("..data");
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(data.canonicalize().unwrap(), closed).unwrap();
    let (code, _, said) = as_somebody(&container, &["true"]);
    assert_eq!(code, Some(16), "{said}");
    assert!(said.contains("Permission denied") && said.contains("file-mode"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_does_not_start_without_a_variable_that_it_needs() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    for (required, code) in [("TEXT", 0), ("TEXT,GONE", 16), ("", 0)] {
        let (ended, _, said) = started(container.exec_requiring("app", required, &["true"]));
        assert_eq!(ended, Some(code), "{said}");
        for words in ["variable GONE is not there", "annotations on-revoked, max-staleness"] {
            assert!(code == 0 || said.contains(words), "{words}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_has_room_for_a_second_start() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let plan = planned(&sets, Mode::Init);
    let container = filled(&cloud, &plan).await;
    let program = container.environment().join(ENVIRONMENT_PROGRAM);
    let inode = || std::fs::metadata(&program).unwrap().ino();
    let before = inode();
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
    assert_eq!(inode(), before, "the same program was written again");
    std::fs::write(&program, "of another version").unwrap();
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
    assert_ne!(inode(), before);
    assert_eq!(started(container.exec("app", &["true"])).0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_stays_the_same_and_so_do_its_input_and_its_end() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    let script = "echo $$; echo \"$(cat)\"; exit 42";
    let mut command = container.exec("app", &["sh", "-c", script]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    child.stdin.take().unwrap().write_all(b"hello").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{pid}\nhello\n"));
}

/// Says what it knows of its terminal: that it is one, whose session and foreground it is in, its
/// modes; it hears that the window changes, reads a line, and is interrupted by a key.
const ON_A_TERMINAL: &str = r#"
for file in 0 1 2; do test -t $file && echo "terminal $file"; done
echo controlling > /dev/tty
read -r pid name state parent group session terminal foreground rest < /proc/$$/stat
echo "leads $((session - pid)) $((group - pid)) $((foreground - pid))"
stty -a
trap 'echo "resized $(stty size)"' WINCH
stty rows 33 cols 77
echo name?
read -r line
echo "read $line"
trap 'echo interrupted; exit 7' INT
echo ready
tenths=0
while test $tenths -lt 600; do sleep 0.1; tenths=$((tenths + 1)); done
"#;

/// Runs a command on a terminal of its own, at which somebody sits: what the terminal shows, and how
/// the command ends.
fn on_a_terminal(command: &Command) -> (Option<i32>, String) {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let quoted =
        |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''"));
    let line = format!("exec {}", words.map(quoted).collect::<Vec<_>>().join(" "));
    // A shell cannot hear of a signal that was ignored when it was started, as in the background.
    let heard = ["env", "--default-signal=INT"];
    let script = ["script", "--quiet", "--return", "--command", &line, "/dev/null"];
    let mut script = direct(&[&heard[..], &script[..]].concat());
    script.env_clear().env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let mut shown = Vec::new();
    for (asked, answer) in [("name?\r\n", "hello\n"), ("ready\r\n", "\x03")] {
        let mut some = [0; 1024];
        while !String::from_utf8_lossy(&shown).contains(asked) {
            let count = screen.read(&mut some).unwrap();
            shown.extend(some.iter().take(count));
            assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
        }
        keys.write_all(answer.as_bytes()).unwrap();
    }
    screen.read_to_end(&mut shown).unwrap();
    (script.wait().unwrap().code(), String::from_utf8(shown).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_stays_the_applications_own_with_its_window_and_its_keys() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    let words = ["/bin/sh", "-c", ON_A_TERMINAL];
    let (code, shown) = on_a_terminal(&container.exec("app", &words));
    assert_eq!(code, Some(7), "{shown}");
    for words in [
        "terminal 0\r\nterminal 1\r\nterminal 2\r\ncontrolling\r\nleads 0 0 0\r\n",
        "resized 33 77\r\n",
        "read hello\r\n",
        "interrupted\r\n",
    ] {
        assert!(shown.contains(words), "{words:?}: {shown}");
    }
    assert_eq!((code, shown), on_a_terminal(&direct(&words)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_ends_as_a_shell_would_and_says_why() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let plan = planned(&sets, Mode::Init);
    let container = filled(&cloud, &plan).await;
    let data = container.path("data");
    std::fs::write(&data, "x").unwrap();
    for (word, code) in [("no-such-program", 127), ("/no/such", 127), (data.to_str().unwrap(), 126)]
    {
        let (ended, _, said) = started(container.exec("app", &[word]));
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(word) && !said.contains("CANARY"), "{said}");
    }
    let empty = Container::new(&cloud).unwrap();
    std::fs::copy(
        container.environment().join(ENVIRONMENT_PROGRAM),
        empty.environment().join(ENVIRONMENT_PROGRAM),
    )
    .unwrap();
    let (ended, _, said) = started(empty.exec("app", &["true"]));
    assert_eq!(ended, Some(16), "{said}");
    assert!(said.contains("no variables were written yet"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubelet_finds_one_quoted_file_for_each_variable() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 2] = [
        ("PORT", "kms://shop/db#port", &[], &["app", "side"]),
        ("USER_NAME", "kms://shop/db#username", &[], &["app"]),
    ];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    for (name, content) in [
        ("app.PORT", "PORT='5432'\n"),
        ("side.PORT", "PORT='5432'\n"),
        ("app.USER_NAME", "USER_NAME='shop'\n"),
    ] {
        assert_eq!(std::fs::read_to_string(container.environment().join(name)).unwrap(), content);
    }
    // Nobody is started by us.
    assert!(!container.environment().join(ENVIRONMENT_PROGRAM).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_cannot_travel_ends_the_start_with_its_variable_and_the_remedy() {
    let cloud = cloud().await;
    for (name, value) in [
        ("shop/quote", "CANARY'".to_owned()),
        ("shop/empty", String::new()),
        ("shop/long", "CANARY".repeat(6000)),
        ("shop/nul", "CANARY\0".to_owned()),
    ] {
        cloud.put_secret(ACCOUNT, SecretSeed::text(name, &value)).unwrap();
    }
    for (source, exec, read, words) in [
        ("kms://shop/quote", &[][..], &["app"][..], "single quote"),
        ("kms://shop/empty", &[], &["app"], "is empty"),
        ("kms://shop/long", &[], &["app"], "at most 32768"),
        ("kms://shop/nul", &["app"], &[], "NUL"),
    ] {
        let container = Container::new(&cloud).unwrap();
        let plan = planned(&[("DB_PASSWORD", source, exec, read)], Mode::Init);
        let ended = container.init(&plan).await.unwrap();
        assert_eq!(ended.code(), Some(17), "{}", ended.said());
        let said = ended.said();
        assert!(ended.headline().contains("variable DB_PASSWORD"), "{said}");
        assert!(said.contains(words) && said.contains("check: "), "{said}");
        assert!(!said.contains("CANARY"), "{said}");
        assert!(!container.environment().join("..data").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_container_gets_the_value_of_now() {
    let cloud = cloud().await;
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/a", "CANARY-1")).unwrap();
    let refresh = Refresh::new(10, None, OnRevoked::Keep).unwrap();
    let sets: [Set<'_>; 1] = [("A", "kms://shop/a", &["app"], &["side"])];
    let plan = planned(&sets, Mode::Refresh(refresh));
    let container = Container::new(&cloud).unwrap();
    let running = container.start(&plan, &["refresh"]).unwrap();
    running.says("\"done\"", 1).await.unwrap();
    assert_eq!(container.run(&plan, &["probe"]).await.unwrap().code(), Some(0));
    let now = || started(container.exec("app", &["sh", "-c", "printf %s \"$A\""])).1;
    assert_eq!(now(), "CANARY-1");
    let version = VersionSeed::text("CANARY-2");
    cloud.rotate_secret(&StoredPlace::new(ACCOUNT, "shop/a"), version).unwrap();
    running.says("the files were replaced", 1).await.unwrap();
    assert_eq!(now(), "CANARY-2");
    let read = std::fs::read_to_string(container.environment().join("side.A")).unwrap();
    assert_eq!(read, "A='CANARY-2'\n");
    std::fs::remove_file(container.environment().join(ENVIRONMENT_PROGRAM)).unwrap();
    let probed = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probed.code(), Some(1), "{}", probed.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_variables_of_one_source_cost_one_request() {
    let cloud = cloud().await;
    let mut builder = builder().unwrap();
    let with = Want::new("db", "kms://shop/db");
    let sets: [Set<'_>; 1] = [("DB", "kms://shop/db#port", &["app"], &[])];
    let env = planned(&sets, Mode::Init).env().cloned();
    builder.env(env);
    let plan = lab::fetcher::plan(builder, &[with]).unwrap();
    assert_eq!(plan.lookups().len(), 1);
    let container = filled(&cloud, &plan).await;
    assert!(container.mount().join("db").exists());
    let (_, port, _) = started(container.exec("app", &["sh", "-c", "echo $DB"]));
    assert_eq!(port, "5432\n");
    let requests = cloud.requests();
    let values = requests.iter().filter(|entry| entry.action == "GetSecretValue").count();
    assert_eq!(values, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_interpreter_is_missing_is_told_from_one_that_is_missing() {
    let cloud = cloud().await;
    let sets: [Set<'_>; 1] = [("TEXT", "kms://shop/text", &["app"], &[])];
    let container = filled(&cloud, &planned(&sets, Mode::Init)).await;
    let script = container.path("script");
    std::fs::write(&script, "#!/no/such/interpreter\necho hi\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, _, said) = started(container.exec("app", &[script.to_str().unwrap()]));
    assert_eq!(code, Some(127));
    assert!(said.contains("it is there, but what starts it is not found"), "{said}");
    let (code, _, said) = started(container.exec("app", &["/no/such/program"]));
    assert_eq!(code, Some(127));
    assert!(said.contains("cannot be started: entity not found"), "{said}");
}
