//! What is shown is held, so that nobody gets a lease on it.

use rustix::io::Errno;

use super::*;
use crate::process::lease::Lease;

#[test]
fn a_lease_on_a_file_neither_changes_nor_hides_anything() {
    let mount = Mount::new();
    let files = [("a", 0o400, "1"), ("b", 0o444, "2")];
    mount.publish(0, &files).unwrap();
    let before = mount.state();
    let lease = Lease::take(&mount.path("a"));
    assert_eq!(mount.publish(1, &files).unwrap(), Written::Unchanged);
    assert_eq!(mount.state(), before);
    assert!(lease.is_none(), "who opened the file now would wait");
}

#[test]
fn what_another_process_left_is_held_when_its_leases_have_ended() {
    let mount = Mount::new();
    let files = [("a", 0o400, "1"), ("b", 0o444, "2")];
    mount.publish(0, &files).unwrap();
    let before = mount.state();
    // As after a start.
    mount.1.take();
    let lease = Lease::that_yields(&mount.path("a")).unwrap();
    let opened = open_mount(mount.0.path()).unwrap();
    let generation = current(&opened).unwrap().unwrap();
    let hold = || mount.1.borrow_mut().all(&opened, &generation);
    assert_eq!(hold(), Err(Errno::WOULDBLOCK));
    while hold().is_err() {
        std::thread::yield_now();
    }
    drop(lease);
    assert!(Lease::take(&mount.path("a")).is_none());
    assert_eq!(mount.publish(1, &files).unwrap(), Written::Unchanged);
    assert_eq!(mount.state(), before);
}

#[test]
fn files_that_are_shown_no_more_take_no_room() {
    let mount = Mount::new();
    mount.publish(0, &[("a", 0o400, "1")]).unwrap();
    let first = mount.1.borrow().file(&mount.path("a"), "a").unwrap();
    mount.publish(1, &[("a", 0o400, "2")]).unwrap();
    assert_eq!(std::sync::Arc::strong_count(&first), 1);
    let held = mount.1.borrow().file(&mount.path("a"), "a");
    assert!(held.is_some());
}
