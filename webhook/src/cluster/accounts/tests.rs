//! Accounts in memory, by their public interface and by how much room they take.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn by_arn(arn: &str) -> ServiceAccount {
    ServiceAccount { role_arn: Some(arn.to_owned()), role_name: None }
}

#[test]
fn an_account_is_found_as_it_was_given() {
    let (accounts, mut writer) = accounts();
    for (namespace, name, arn, role_name) in [
        ("shop", "checkout", Some("arn"), None),
        ("shop", "till", None, Some("name")),
        ("shopc", "heckout", Some("other"), Some("both")),
        ("pay", "empty", Some(""), None),
        ("pay", "equals", Some("=x"), Some("=")),
    ] {
        let account = ServiceAccount {
            role_arn: arn.map(str::to_owned),
            role_name: role_name.map(str::to_owned),
        };
        writer.set(namespace, name, &account);
        assert_eq!(accounts.get(namespace, name), Some(account), "{namespace}/{name}");
    }
    assert_eq!(accounts.count(), 5);
    for (namespace, name) in [("shop", "none"), ("none", "checkout"), ("shop\0checkout", "")] {
        assert_eq!(accounts.get(namespace, name), None);
    }
}

#[test]
fn accounts_that_name_no_role_take_no_room() {
    let (accounts, mut writer) = accounts();
    writer.set("shop", "plain", &ServiceAccount::default());
    writer.set("shop", "long", &by_arn(&"x".repeat(257)));
    writer.set("shop", "odd", &by_arn("a\0=b"));
    assert_eq!((accounts.count(), writer.bytes), (0, 0));
}

#[test]
fn an_account_that_loses_its_role_is_forgotten() {
    for lost in [ServiceAccount::default(), by_arn(&"x".repeat(257))] {
        let (accounts, mut writer) = accounts();
        writer.set("shop", "checkout", &by_arn("arn"));
        writer.set("shop", "checkout", &lost);
        assert_eq!(accounts.get("shop", "checkout"), None);
        assert_eq!((accounts.count(), writer.bytes), (0, 0));
    }
}

#[test]
fn a_listing_takes_the_place_of_all_and_shares_what_is_the_same() {
    let (accounts, mut writer) = accounts();
    writer.set("shop", "same", &by_arn("arn"));
    writer.set("shop", "changed", &by_arn("old"));
    writer.set("shop", "gone", &by_arn("arn"));
    let of = |name: &str| {
        let shard = accounts.shard("shop", name).unwrap().load_full();
        shard[position(&shard, "shop", name).unwrap()].0.clone()
    };
    let before = of("same");
    let mut listing = Writer::listing();
    for (name, arn) in [("same", "arn"), ("changed", "new"), ("more", "arn")] {
        writer.list(&mut listing, "shop", name, &by_arn(arn));
    }
    writer.list(&mut listing, "shop", "plain", &ServiceAccount::default());
    assert_eq!(accounts.get("shop", "changed"), Some(by_arn("old")));
    writer.replace(listing);
    assert!(Arc::ptr_eq(&before, &of("same")));
    assert_eq!(accounts.get("shop", "changed"), Some(by_arn("new")));
    assert_eq!(accounts.get("shop", "more"), Some(by_arn("arn")));
    assert_eq!(accounts.get("shop", "gone"), None);
    assert_eq!(accounts.count(), 3);
}

#[test]
fn no_more_is_kept_than_fits_and_nothing_old_stays_for_want_of_room() {
    let (accounts, mut writer) = accounts();
    let long = by_arn(&"x".repeat(256));
    let mut listing = Writer::listing();
    for number in 0..100_000 {
        writer.list(&mut listing, "n", &format!("account-{number:08}"), &long);
    }
    writer.replace(listing);
    let full = accounts.count();
    assert!((50_000..100_000).contains(&full), "{full}");
    assert!(writer.bytes <= MOST_BYTES);
    writer.set("n", "account-00000001", &by_arn("short"));
    let room = MOST_BYTES - writer.bytes;
    assert!(room >= 250, "{room}");
    writer.set("n", "account-00000001", &long);
    for number in 0..10 {
        writer.set("n", &format!("another-{number}"), &long);
    }
    assert!(writer.bytes <= MOST_BYTES);
    // There is no room for what it became, so what it was must not be returned.
    let mut both = long;
    both.role_name = both.role_arn.clone();
    writer.set("n", "account-00000002", &both);
    assert_eq!(accounts.get("n", "account-00000002"), None);
}

proptest! {
    #[test]
    fn any_sequence_of_changes_leaves_what_a_map_would_hold(
        changes in prop::collection::vec((0..4_u8, 0..30_u8, 0..4_u8), 0..200),
    ) {
        let (accounts, mut writer) = accounts();
        let mut model = BTreeMap::new();
        for (namespace, name, role) in changes {
            let key = (format!("n{namespace}"), format!("a{name}"));
            if role == 0 {
                writer.remove(&key.0, &key.1);
                model.remove(&key);
            } else {
                writer.set(&key.0, &key.1, &by_arn(&role.to_string()));
                model.insert(key, by_arn(&role.to_string()));
            }
        }
        prop_assert_eq!(accounts.count(), model.len());
        for namespace in 0..4 {
            for name in 0..30 {
                let key = (format!("n{namespace}"), format!("a{name}"));
                prop_assert_eq!(accounts.get(&key.0, &key.1), model.get(&key).cloned());
            }
        }
    }
}
