//! What processes of a Pod let stand in their files of `/proc`: each read as all of them.
#![no_main]

use injector::proc;

const CONTAINER: &str = "app";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);

    let has = proc::has_variable(bytes, CONTAINER).expect("a slice can be read");
    let mut entries = bytes.split(|byte| *byte == 0).collect::<Vec<_>>();
    // What no NUL ends is no whole entry.
    entries.pop();
    assert_eq!(has, entries.contains(&b"SECRETS_INJECTOR_TARGET=app".as_slice()));

    for proc::Kept { pod, container } in proc::kept(bytes) {
        assert!(text.contains(&format!("{}/containers/{container}/", pod.directory)));
        assert!(text.contains(&pod.device) && pod.directory.contains("pods/"));
    }
    if let Some(user) = proc::user(bytes) {
        assert!(text.contains("Uid:") && text.contains(&user.to_string()));
    }
    if let Some(started) = proc::started(&text) {
        assert!(text.contains(") ") && text.contains(&started.to_string()));
        // Whatever a process calls itself, its start stays what it is.
        let renamed = format!("7 (a) R 1 (b) {}", text.rsplit_once(") ").expect("a name").1);
        assert_eq!(proc::started(&renamed), Some(started));
    }
});
