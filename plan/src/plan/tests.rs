use proptest::prelude::*;

use super::*;
use crate::cloud::{Host, ProviderArn, Region, RoleArn, SessionName};
use crate::content::Selection;
use crate::credentials::{RoleSession, Rrsa};
use crate::env::{ContainerName, Variable, VariableName};
use crate::file::{FileMode, FileName, FileOptions, OnMissing};
use crate::lookup::AlibabaLookup;
use crate::refresh::{OnRevoked, Refresh};
use crate::selector::Selector;
use crate::source::Reference;

fn builder() -> PlanBuilder {
    let rrsa = Rrsa {
        role: RoleArn::parse("acs:ram::1234567890123456:role/app").unwrap(),
        named_by: crate::credentials::RoleNamer::default(),
        provider: ProviderArn::parse("acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1")
            .unwrap(),
        sts: RoleSession {
            session: SessionName::parse("shop.checkout").unwrap(),
            duration: 3600,
            region: Region::parse("cn-hangzhou").unwrap(),
            endpoint: None,
        },
    };
    PlanBuilder::new(rrsa, MountPath::default())
}

fn add(builder: &mut PlanBuilder, name: &str, source: &str) {
    let (lookup, selector) = lookup(source);
    let name = FileName::parse(name).unwrap();
    builder.file(name, lookup, selector, FileOptions::new(FileMode::ALL, OnMissing::Fail));
}

#[test]
fn a_plan_survives_the_way_through_json() {
    let mut builder = builder();
    add(&mut builder, "db", "kms://db");
    add(&mut builder, "user", "kms://db#user");
    add(&mut builder, "old", "kms://db?stage=ACSPrevious");
    let source = Reference::parse("oos://maybe").unwrap().source.into_alibaba().unwrap();
    let lookup = AlibabaLookup {
        source,
        region: Region::parse("cn-beijing").unwrap(),
        endpoint: Some(Host::parse("oos.cn-beijing.aliyuncs.com").unwrap()),
        assume: None,
    };
    let name = FileName::parse("maybe").unwrap();
    builder.file(name, lookup.into(), None, FileOptions::new(FileMode::GROUP, OnMissing::Skip));
    builder.group(Some(2000)).timeout_seconds(3600).consumers(vec!["app".to_owned()]);
    builder.network(Network::Public).gateway_ca(GatewayCa::Published);
    let options = FetcherOptions { log_level: LogLevel::Debug, ..FetcherOptions::default() };
    builder.options(options);
    let plan = Plan::decode(&builder.build().unwrap().encode().unwrap()).unwrap();
    assert_eq!(plan.timeout().as_secs(), 3600);
    assert_eq!((plan.group(), plan.consumers()), (Some(2000), &["app".to_owned()][..]));
    assert_eq!((plan.network(), plan.gateway_ca()), (Network::Public, Some(&GatewayCa::Published)));
    assert_eq!((plan.options().log_level, plan.lookups().len()), (LogLevel::Debug, 3));
    assert_eq!(plan.files()[3].options.on_missing, OnMissing::Skip);
    assert_eq!(Plan::decode(&plan.encode().unwrap()).unwrap(), plan);
}

#[test]
fn a_plan_without_an_identity_asks_nothing_of_alibaba_cloud() {
    let mut builder = PlanBuilder::new(None::<Credentials>, MountPath::default());
    add(&mut builder, "db", "kms://db");
    assert_eq!(builder.build().unwrap_err(), InvalidPlan::NoCredentials);
}

#[test]
fn the_same_value_is_fetched_once() {
    let mut builder = builder();
    add(&mut builder, "a", "kms://db#a");
    add(&mut builder, "b", "kms://db#b");
    add(&mut builder, "c", "oos://db");
    let plan = builder.build().unwrap();
    assert_eq!(plan.lookups().len(), 2);
    let sources: Vec<usize> = plan.files().iter().flat_map(File::sources).collect();
    assert_eq!(sources, [0, 0, 1]);
}

fn lookup(source: &str) -> (Lookup, Option<Selector>) {
    let Reference { source, selector } = Reference::parse(source).unwrap();
    let (source, region) = (source.into_alibaba().unwrap(), Region::parse("cn-hangzhou").unwrap());
    (AlibabaLookup::in_region(source, region).into(), selector)
}

fn add_template(builder: &mut PlanBuilder, name: &str, secrets: &[&str]) {
    let secret = |written: &&str| {
        let (lookup, select) = lookup(written);
        ((*written).to_owned(), lookup, select)
    };
    let secrets = secrets.iter().map(secret).collect();
    let name = FileName::parse(name).unwrap();
    builder.template(
        name,
        "text".to_owned(),
        secrets,
        FileOptions::new(FileMode::ALL, OnMissing::Skip),
    );
}

#[test]
fn a_template_shares_its_sources_with_files_and_survives_the_way_through_json() {
    let mut builder = builder();
    add(&mut builder, "a", "kms://db");
    add_template(&mut builder, "t", &["kms://db#user", "db#password", "oos://x"]);
    let plan = builder.build().unwrap();
    assert_eq!(plan.lookups().len(), 2);
    let file = &plan.files()[1];
    assert_eq!(file.sources().collect::<Vec<_>>(), [0, 0, 1]);
    let json = plan.encode().unwrap();
    assert!(json.contains(r#"{"name":"a","from":0,"mode":"0444"}"#), "{json}");
    assert_eq!(Plan::decode(&json).unwrap(), plan);
}

#[test]
fn a_file_is_either_a_value_or_a_template_and_both_of_sources_that_exist() {
    let mut builder = builder();
    add(&mut builder, "a", "kms://db#user");
    add_template(&mut builder, "t", &["kms://db#user"]);
    let json = builder.build().unwrap().encode().unwrap();
    for (from, to) in [
        ("\"template\":", "\"from\":0,\"template\":"),
        ("\"template\":", "\"select\":\"x\",\"template\":"),
        ("\"name\":\"a\",\"from\":0,", "\"name\":\"a\","),
        ("\"written\":\"kms://db#user\",\"from\":0", "\"written\":\"kms://db#user\",\"from\":1"),
        ("\"text\":", "\"more\":1,\"text\":"),
        ("[{\"written\":\"kms://db#user\",\"from\":0,\"select\":\"user\"}]", "[]"),
    ] {
        assert!(json.contains(from), "{from}: {json}");
        assert!(Plan::decode(&json.replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn two_files_with_one_name_and_no_file_at_all_are_refused() {
    let mut twice = builder();
    add(&mut twice, "a", "kms://x");
    add(&mut twice, "a", "kms://y");
    assert_eq!(twice.build().unwrap_err(), InvalidPlan::SameFile("a".to_owned()));
    assert_eq!(builder().build().unwrap_err(), InvalidPlan::Nothing);
}

#[test]
fn a_newer_plan_is_refused_by_its_version() {
    let mut builder = builder();
    add(&mut builder, "a", "kms://x");
    let json = builder.build().unwrap().encode().unwrap();
    let of_version = |text: String| json.replacen(&format!("\"version\":{VERSION}"), &text, 1);
    let later = VERSION + 1;
    let newer = of_version(format!("\"version\":{later},\"unheardOf\":true"));
    assert_eq!(Plan::decode(&newer).unwrap_err(), InvalidPlan::Version(later));
    let other = of_version("\"version\":0".to_owned());
    assert_eq!(Plan::decode(&other).unwrap_err(), InvalidPlan::Version(0));
    assert!(serde_json::from_str::<Plan>(&other).is_err());
}

#[test]
fn a_plan_that_was_tampered_with_is_refused_without_being_repeated() {
    let mut builder = builder();
    add(&mut builder, "a", "kms://x");
    let json = builder.build().unwrap().encode().unwrap();
    for (from, to) in [
        ("\"name\":\"a\"", "\"name\":\"../CANARY\""),
        ("\"from\":0", "\"from\":7"),
        ("\"from\":0", "\"from\":1"),
        ("/mnt/secrets-store", "/mnt/../CANARY"),
        ("kms://x", "CANARY://x"),
        ("\"mode\":\"0444\"", "\"mode\":\"CANARY\""),
        ("\"timeout\":300", "\"timeout\":0"),
        ("\"timeout\":300", "\"timeout\":3601"),
        ("\"files\"", "\"CANARY\""),
    ] {
        assert!(json.contains(from), "{from}");
        let error = Plan::decode(&json.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(!error.contains("CANARY"), "{error}");
    }
    for text in ["", "CANARY", "[]", "{\"version\":\"CANARY\"}", "null"] {
        let error = Plan::decode(text).unwrap_err().to_string();
        assert!(!error.contains("CANARY"), "{error}");
    }
}

#[test]
fn only_files_that_change_are_told_about() {
    let built = |mode| {
        let mut builder = builder();
        add(&mut builder, "a", "kms://x");
        let on_change = OnChange::parse("signal=SIGHUP:app").unwrap();
        builder.mode(mode).options(FetcherOptions { on_change, ..FetcherOptions::default() });
        builder.build()
    };
    assert_eq!(built(Mode::Init).unwrap_err(), InvalidPlan::HookWithoutChanges);
    let kept = Mode::Refresh(Refresh::new(300, None, OnRevoked::Keep).unwrap());
    let plan = built(kept).unwrap();
    let json = plan.encode().unwrap();
    assert!(json.contains(r#""onChange":"signal=SIGHUP:app""#), "{json}");
    assert_eq!(Plan::decode(&json).unwrap(), plan);
    for bad in ["SIGKILL:app", "SIGHUP:CANARY", "SIGHUP"] {
        let error = Plan::decode(&json.replacen("SIGHUP:app", bad, 1)).unwrap_err();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}

#[test]
fn metrics_are_served_at_a_port_that_needs_no_privilege_while_files_are_kept_current() {
    let built = |mode, port| {
        let mut builder = builder();
        add(&mut builder, "a", "kms://x");
        let options = FetcherOptions { metrics_port: Some(port), ..FetcherOptions::default() };
        builder.mode(mode).options(options);
        builder.build()
    };
    let kept = Mode::Refresh(Refresh::new(300, None, OnRevoked::Keep).unwrap());
    assert_eq!(built(kept.clone(), 1024).unwrap().options().metrics_port, Some(1024));
    assert_eq!(built(kept, 1023).unwrap_err(), InvalidPlan::MetricsPort(1023));
    assert_eq!(built(Mode::Init, 9000).unwrap_err(), InvalidPlan::MetricsPort(9000));
}

#[test]
fn a_plan_has_at_most_256_files() {
    let plan_of = |files: usize| {
        let mut builder = builder();
        for index in 0..files {
            add(&mut builder, &index.to_string(), "kms://x");
        }
        builder.build()
    };
    assert_eq!(plan_of(256).unwrap().files().len(), 256);
    assert_eq!(plan_of(257).unwrap_err(), InvalidPlan::TooManyFiles(257));
}

#[test]
fn a_plan_asks_for_at_most_256_secrets_in_however_few_files() {
    let plan_of = |lookups: usize| {
        let mut builder = builder();
        let secret = |index: usize| {
            let written = format!("kms://s{index}");
            let (lookup, _) = lookup(&written);
            (written, lookup, None)
        };
        let name = FileName::parse("t").unwrap();
        let secrets = (0..lookups).map(secret).collect();
        builder.template(
            name,
            String::new(),
            secrets,
            FileOptions::new(FileMode::OWNER, OnMissing::Fail),
        );
        builder.build()
    };
    assert_eq!(plan_of(256).unwrap().lookups().len(), 256);
    assert_eq!(plan_of(257).unwrap_err(), InvalidPlan::TooManyLookups(257));
}

#[test]
fn a_plan_too_large_for_the_environment_is_refused() {
    let mut builder = builder();
    for index in 0..MAX_FILES {
        let tail = "x".repeat(180);
        add(
            &mut builder,
            &format!("{index}{tail}"),
            &format!("kms://{tail}{index}#{}", "y".repeat(100)),
        );
    }
    assert!(matches!(builder.build().unwrap().encode(), Err(InvalidPlan::TooLarge(_))));
}

proptest! {
    #[test]
    fn no_dollar_reaches_the_environment(name in "[$a-z(){}]{1,20}", selector in "\"[$a-z()]{1,20}\"") {
        let mut builder = builder();
        add(&mut builder, &name, &format!("kms://x#{selector}"));
        let plan = builder.build().unwrap();
        let json = plan.encode().unwrap();
        prop_assert!(!json.contains('$'));
        prop_assert_eq!(Plan::decode(&json).unwrap(), plan);
    }

    #[test]
    fn decoding_arbitrary_text_never_panics(text in "\\PC*") {
        let _ = Plan::decode(&text);
    }
}

fn variable(name: &str, from: usize, containers: &[&str]) -> Variable {
    let exec = containers.iter().map(|name| ContainerName::parse(name).unwrap()).collect();
    let value = Selection { from, select: None };
    Variable::of_value(VariableName::parse(name).unwrap(), value, exec)
}

fn with_env(variables: Vec<Variable>) -> Result<Plan, InvalidPlan> {
    let mut builder = builder();
    assert_eq!(builder.lookup(lookup("kms://a").0), 0);
    builder.env(Some(Environment { mode: FileMode::ALL, variables }));
    builder.build()
}

#[test]
fn variables_alone_are_a_plan_and_come_back_as_they_went() {
    let plan =
        with_env(vec![variable("A", 0, &["app", "side"]), variable("B", 0, &["app"])]).unwrap();
    assert_eq!(Plan::decode(&plan.encode().unwrap()).unwrap(), plan);
    assert!(plan.encode().unwrap().contains(r#""env":{"mode":"0444","variables":[{"name":"A""#));
}

#[test]
fn a_variable_is_set_once_in_a_container_and_from_a_source_that_there_is() {
    let twice = vec![variable("A", 0, &["app", "side"]), variable("A", 0, &["side"])];
    assert_eq!(
        with_env(twice).unwrap_err(),
        InvalidPlan::SameVariable("A".to_owned(), "side".to_owned())
    );
    let nowhere = with_env(vec![variable("A", 1, &["app"])]).unwrap_err();
    assert_eq!(nowhere, InvalidPlan::NoSuchLookup("A".to_owned()));
    let nobodys = with_env(vec![variable("A", 0, &[])]).unwrap_err();
    assert_eq!(nobodys, InvalidPlan::NoContainer("A".to_owned()));
    assert_eq!(with_env(Vec::new()).unwrap_err(), InvalidPlan::Nothing);
    let many = (0..=MAX_VARIABLES).map(|n| variable(&format!("A{n}"), 0, &["app"])).collect();
    assert_eq!(with_env(many).unwrap_err(), InvalidPlan::TooManyVariables(MAX_VARIABLES + 1));
}

#[test]
fn of_a_plan_that_names_more_containers_than_a_pod_may_have_none_is_read() {
    let recorded = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        let json = serde_json::json!({"version": VERSION, "consumers": names});
        Plan::recorded(&json.to_string())
    };
    assert!(matches!(recorded(256), Recorded::Same { consumers } if consumers.len() == 256));
    assert_eq!(recorded(257), Recorded::Unreadable);
}
