use super::*;

const SHARED: &str = "kms-vpc.cn-hangzhou.aliyuncs.com";
const DEDICATED: &str = "kst-1.cryptoservice.kms.aliyuncs.com";
const OOS: &str = "oos-vpc.cn-hangzhou.aliyuncs.com";

fn secret(endpoint: &str, name: &str) -> Lookup {
    let subject =
        Subject::KmsSecret { name: name.to_owned(), version_id: None, version_stage: None };
    Lookup { endpoint: endpoint.to_owned(), subject, assume: None }
}

fn version(name: &str, stage: &str) -> Lookup {
    let (name, version_stage) = (name.to_owned(), Some(stage.to_owned()));
    let subject = Subject::KmsSecret { name, version_id: None, version_stage };
    Lookup { endpoint: SHARED.to_owned(), subject, assume: None }
}

fn parameter(name: &str, region: &str, version: Option<u32>) -> Lookup {
    let (name, region) = (name.to_owned(), region.to_owned());
    let subject = Subject::OosSecretParameter { name, version, region };
    Lookup { endpoint: OOS.to_owned(), subject, assume: None }
}

fn batches(batching: Batching, lookups: &[Lookup]) -> Vec<Vec<usize>> {
    let lookups: Vec<&Lookup> = lookups.iter().collect();
    let batches = batching.batches(&lookups, |_| true);
    for batch in &batches {
        let members: Vec<&Lookup> = batch.iter().map(|index| lookups[*index]).collect();
        assert!(Batch::of(batching, &members).is_some(), "{batch:?}");
    }
    batches
}

fn shared() -> Batching {
    Batching { kms: KmsBatching::Shared, oos: false }
}

fn secrets(count: usize) -> Vec<Lookup> {
    (0..count).map(|number| secret(SHARED, &format!("shop/s{number}"))).collect()
}

#[test]
fn three_secrets_of_one_host_go_out_together_and_two_do_not() {
    assert_eq!(batches(shared(), &secrets(3)), [[0, 1, 2]]);
    assert!(batches(shared(), &secrets(2)).is_empty());
    assert!(batches(Batching::default(), &secrets(3)).is_empty());
    assert!(
        shared().batches(&secrets(3).iter().collect::<Vec<_>>(), |_| false).is_empty(),
        "a host that is not to be asked so"
    );
}

#[test]
fn what_is_too_much_for_one_call_is_split_evenly() {
    for (count, sizes) in [
        (20, &[20][..]),
        (21, &[11, 10]),
        (22, &[11, 11]),
        (41, &[14, 14, 13]),
        (256, &[20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 16]),
    ] {
        let lookups = secrets(count);
        let batches = batches(shared(), &lookups);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{count}");
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn hosts_roles_and_accounts_share_no_call() {
    let role = |lookup: Lookup| {
        let role_arn = String::from("acs:ram::2:role/theirs");
        Lookup { assume: Some(AssumedRole { role_arn, external_id: None }), ..lookup }
    };
    let theirs = |name: &str| secret(SHARED, &format!("acs:kms:cn-hangzhou:2:secret/{name}"));
    let mut lookups = Vec::new();
    for name in ["a", "b", "c"] {
        lookups.extend([
            secret(SHARED, name),
            secret("kms-vpc.cn-beijing.aliyuncs.com", name),
            role(secret(SHARED, name)),
            theirs(name),
        ]);
    }
    let expected: Vec<Vec<usize>> = (0..4).map(|of| vec![of, of + 4, of + 8]).collect();
    assert_eq!(batches(shared(), &lookups), expected);
}

#[test]
fn two_versions_of_one_name_are_never_in_one_call() {
    let one = ["a", "b", "c"].map(|name| secret(SHARED, name));
    let other = ["a", "b", "c"].map(|name| version(name, "ACSPrevious"));
    let all: Vec<Lookup> = one.into_iter().chain(other).collect();
    assert_eq!(batches(shared(), &all), [[0, 1, 2], [3, 4, 5]]);
    // Too few are left for a second call.
    assert_eq!(batches(shared(), &all[..5]), [[0, 1, 2]]);
}

#[test]
fn dedicated_gateways_are_asked_so_where_the_operator_says() {
    let lookups = ["a", "b", "c"].map(|name| secret(DEDICATED, name));
    assert!(batches(shared(), &lookups).is_empty());
    let all = Batching { kms: KmsBatching::All, oos: false };
    assert_eq!(batches(all, &lookups), [[0, 1, 2]]);
}

#[test]
fn parameters_go_out_together_where_roles_may_ten_at_a_time_and_without_a_version() {
    let lookups: Vec<Lookup> = (0..12)
        .map(|number| parameter(&format!("p{number}"), "cn-hangzhou", None))
        .chain([parameter("old", "cn-hangzhou", Some(3)), parameter("far", "cn-beijing", None)])
        .collect();
    assert!(batches(shared(), &lookups).is_empty());
    let oos = Batching { kms: KmsBatching::Never, oos: true };
    let batches = batches(oos, &lookups);
    assert_eq!(batches, [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]);
}

#[test]
fn no_address_is_longer_than_what_stands_before_a_service_allows() {
    let long =
        |number: usize| format!("acs:kms:cn-hangzhou:1:secret/{number:0>180}{}", "密".repeat(20));
    let lookups: Vec<Lookup> = (0..20).map(|number| secret(SHARED, &long(number))).collect();
    let batches = batches(shared(), &lookups);
    assert_eq!(batches.concat().len(), 20);
    for batch in &batches {
        let members: Vec<AskedSecret<'_>> =
            batch.iter().filter_map(|index| AskedSecret::of(&lookups[*index])).collect();
        assert!(encoded_length(&kms_batch::list(&members)) <= LONGEST);
    }
    assert!(batches.len() > 1);
}
