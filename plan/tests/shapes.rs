//! What has the shape of a name, a region or a path, to the last character.

#![cfg(test)]

use plan::{ExternalId, Host, MountPath, Region, RoleArn, SessionName};

#[test]
fn regions_have_the_shape_of_a_region_id() {
    let longest = format!("cn-{}", "x".repeat(29));
    for text in ["cn-x", "cn-hangzhou", "cn-shanghai-finance-1", &longest] {
        assert_eq!(Region::parse(text).unwrap().as_str(), text);
    }
    let too_long = format!("{longest}x");
    for text in
        ["", "c-n", "hangzhou", "-hangzhou", "cn-x-", "CN-hangzhou", "cn-x.y", "cn-x/", &too_long]
    {
        assert!(Region::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn names_may_be_as_long_as_the_cloud_allows_and_no_longer() {
    let host = |length: usize| Host::parse(&format!("{}com", "a.".repeat(length / 2 - 1)));
    assert_eq!(host(252).unwrap().as_str().len(), 253);
    assert!(Host::parse(&format!("{}a.bc", "a.".repeat(125))).is_err());
    assert!(Host::parse(&format!("{}.com", "a".repeat(63))).is_ok());
    let role = |account: usize, name: usize| {
        RoleArn::parse(&format!("acs:ram::{}:role/{}", "1".repeat(account), "r".repeat(name)))
    };
    assert!(role(32, 128).is_ok());
    assert!(role(33, 1).is_err() && role(1, 129).is_err());
    assert!(SessionName::parse("ab").is_ok());
    assert!(ExternalId::parse(&"x".repeat(1224)).is_ok());
    assert!(ExternalId::parse(&"x".repeat(1225)).is_err());
}

#[test]
fn a_label_of_a_host_ends_in_no_dash_and_an_account_is_a_number() {
    assert!(Host::parse("a-.b").is_err());
    assert!(RoleArn::parse("acs:ram::me:role/x").is_err());
}

#[test]
fn a_path_has_512_bytes_at_most() {
    let path = |length: usize| MountPath::parse(&format!("/{}", "a".repeat(length - 1)));
    assert!(path(512).is_ok() && path(513).is_err());
}
