use super::*;

/// A `/proc` of its own.
struct Processes(tempfile::TempDir);

impl Processes {
    fn of_pod(ours: &str) -> Self {
        let processes = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(processes.0.path().join("self/ns")).unwrap();
        processes.in_user_namespace("self", "user:[1]");
        std::fs::write(processes.0.path().join("self/mountinfo"), mount(ours)).unwrap();
        processes
    }

    /// Started in the order of their numbers. `kept` is what is mounted for it.
    fn add(&self, pid: u32, says: &str, kept: &str, namespace: &str) -> &Self {
        let process = self.0.path().join(pid.to_string());
        let us = rustix::process::geteuid().as_raw();
        let behind_name = format!("S {}{pid} 0", "0 ".repeat(18));
        std::fs::create_dir_all(process.join("ns")).unwrap();
        let uid = format!("\nUid:\t{us}\t{us}\t{us}\t{us}\n");
        for (file, parts) in [
            ("status", [b"Name:\t", CUT, uid.as_bytes()]),
            ("stat", [format!("{pid} (").as_bytes(), CUT, format!(") {behind_name}").as_bytes()]),
            ("environ", [b"A=b\0", format!("SECRETS_INJECTOR_TARGET={says}").as_bytes(), b"\0"]),
            ("mountinfo", [b"", mount(kept).as_bytes(), b""]),
        ] {
            std::fs::write(process.join(file), parts.concat()).unwrap();
        }
        std::os::unix::fs::symlink(namespace, process.join("ns/mnt")).unwrap();
        self
    }

    fn in_user_namespace(&self, process: &str, namespace: &str) -> &Self {
        let link = self.0.path().join(process).join("ns/user");
        std::os::unix::fs::symlink(namespace, link).unwrap();
        self
    }

    fn target(&self) -> Result<i32, String> {
        let found = target(self.0.path(), "app");
        found.map(|found| found.pid).map_err(|error| error.to_string())
    }
}

/// A line of the root, and one for a container where there is one.
fn mount(kept: &str) -> String {
    let line = |root: &str, at: &str| format!("1 2 8:1 {root} {at} rw - ext4 /dev/sda rw\n");
    let mut lines = line("/", "/");
    if !kept.is_empty() {
        let root = format!("/var/lib/kubelet/pods/{kept}/7f3c");
        lines += &line(&root, "/dev/termination-log");
    }
    lines
}

/// A name that the kernel cut within a character.
const CUT: &[u8] = b"\xd0\xbf\xd1";

const OURS: &str = "1/containers/kms-secrets";

#[test]
fn who_sets_the_variable_in_another_container_does_not_get_its_signal() {
    let processes = Processes::of_pod(OURS);
    processes.add(10, "app", "1/containers/side", "mnt:[2]");
    assert!(processes.target().unwrap_err().contains("no process of container app"));
    processes.add(20, "nothing", "1/containers/app", "mnt:[1]");
    processes.add(30, "app", "1/containers/app", "mnt:[1]");
    assert_eq!(processes.target(), Ok(20));
    // Nor one that hides its mounts, or made another one.
    processes.add(11, "app", "", "mnt:[3]");
    let two = mount("1/containers/app") + &mount("1/containers/side");
    processes.add(12, "app", "", "mnt:[3]");
    std::fs::write(processes.0.path().join("12/mountinfo"), two).unwrap();
    assert_eq!(processes.target(), Ok(20));
}

#[test]
fn a_container_of_another_pod_with_the_same_name_is_another_one() {
    let processes = Processes::of_pod(OURS);
    processes.add(10, "app", "2/containers/app", "mnt:[2]");
    processes.add(20, "app", "1/containers/app", "mnt:[1]");
    assert_eq!(processes.target(), Ok(20));
}

#[test]
fn where_mounts_tell_nothing_the_variable_does_unless_two_containers_have_it() {
    let processes = Processes::of_pod("");
    processes.add(10, "side", "", "mnt:[2]").add(20, "app", "", "mnt:[1]");
    processes.add(30, "app", "", "mnt:[1]");
    assert_eq!(processes.target(), Ok(20));
    processes.add(5, "app", "", "mnt:[2]");
    assert!(processes.target().unwrap_err().contains("more than one container"));
}

#[test]
fn who_mounts_something_of_its_own_under_the_kubelets_names_does_not_get_the_signal() {
    let processes = Processes::of_pod(OURS);
    let forged = |pid: u32, device: &str, root: &str| {
        processes.add(pid, "app", "", "mnt:[2]");
        let line = format!("1 2 {device} {root} / rw - tmpfs t rw\n");
        std::fs::write(processes.0.path().join(format!("{pid}/mountinfo")), line).unwrap();
    };
    forged(10, "0:77", "/var/lib/kubelet/pods/1/containers/app/7f3c");
    forged(11, "0:77", "/pods/1/containers/app/7f3c");
    // On the kubelet's disk, in a volume of the Pod.
    let volume = "/var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/tmp";
    forged(12, "8:1", &format!("{volume}/pods/1/containers/app/7f3c"));
    assert!(processes.target().unwrap_err().contains("no process of container app"));
    processes.add(20, "", "1/containers/app", "mnt:[1]");
    assert_eq!(processes.target(), Ok(20));
}

#[test]
fn who_made_itself_a_user_namespace_does_not_get_the_signal() {
    for ours in [OURS, ""] {
        let processes = Processes::of_pod(ours);
        let app = if ours.is_empty() { "" } else { "1/containers/app" };
        processes.add(10, "app", app, "mnt:[2]").in_user_namespace("10", "user:[7]");
        assert!(processes.target().unwrap_err().contains("no process of container app"));
        processes.add(20, "app", app, "mnt:[1]").in_user_namespace("20", "user:[1]");
        assert_eq!(processes.target(), Ok(20));
    }
}

#[test]
fn where_our_mounts_tell_nothing_those_of_others_do_not_either() {
    let processes = Processes::of_pod("");
    processes.add(10, "side", "1/containers/app", "mnt:[2]").add(20, "app", "", "mnt:[1]");
    assert_eq!(processes.target(), Ok(20));
}

#[test]
fn a_process_that_is_not_there_is_none() {
    let error = send(HookSignal::Hup, "nobody-has-this-name").unwrap_err();
    assert!(matches!(error, NotSent::NoProcess(_)), "{error}");
    let gone = FoundProcess { path: PathBuf::from("/proc/1"), pid: 1, started: u64::MAX };
    let error = deliver(&gone, Signal::CONT, "app").unwrap_err();
    assert!(matches!(error, NotSent::NoProcess(_)), "{error}");
}
