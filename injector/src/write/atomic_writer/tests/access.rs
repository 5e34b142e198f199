//! Which users may read what is written.

use super::*;

#[test]
fn the_directory_lets_in_who_may_read_a_file() {
    for (modes, expected) in
        [(&["0400"][..], 0o700), (&["0400", "0440"], 0o750), (&["0444"], 0o755), (&["0404"], 0o755)]
    {
        let modes = modes.iter().map(|text| plan::FileMode::parse(text).unwrap());
        assert_eq!(directory_mode(modes), expected);
    }
    let mount = Mount::new();
    mount.publish(0, &[("a", 0o440, "")]).unwrap();
    assert_eq!(mode(&mount.path("..data")), 0o750);
}

#[test]
fn the_group_is_given_explicitly() {
    let mount = Mount::new();
    let files = [NewFile { name: "a", mode: 0o440, content: b"1" }];
    let name = |second| Name::next(UNIX_EPOCH + Duration::from_secs(second), None);
    let give = |group, second| {
        let hold = &mut mount.1.borrow_mut();
        publish(mount.0.path(), &files, 0o750, Some(group), &name(second), hold)
    };
    let own = rustix::process::getegid().as_raw();
    assert_eq!(give(own, 0).unwrap(), Written::Changed);
    assert_eq!(give(own, 1).unwrap(), Written::Unchanged);
    let other = own + 4321;
    match give(other, 2) {
        // Only root may give to a group that it is not in.
        Ok(written) => {
            assert_eq!(written, Written::Changed);
            for path in ["..data", "a"] {
                assert_eq!(fs::metadata(mount.path(path)).unwrap().gid(), other);
            }
            assert_eq!((mode(&mount.path("a")), mode(&mount.path("..data"))), (0o440, 0o750));
        }
        Err(error) => {
            assert!(matches!(error, WriteError::Group(group) if group == other), "{error}");
            assert_eq!(mount.generations().len(), 1);
        }
    }
}
