//! Settings through their public interface.

mod every_field;
mod rules;

use super::*;

/// The settings of an operator who gives these flags.
pub(crate) fn of_flags(flags: &[&str]) -> Settings {
    let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
    Inputs::new(None, &flags, []).unwrap().load().unwrap()
}

fn resolve(file: &str, flags: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
    let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
    let environment = environment.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    let inputs = Inputs::new(Some("settings.yaml".into()), &flags, environment)
        .map_err(|e| e.to_string())?;
    inputs.resolve(Some(file.as_bytes())).map_err(|e| e.to_string())
}

fn names(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_file_gives_the_defaults() {
    for file in ["", "\n# nothing yet\n", "{}"] {
        assert_eq!(resolve(file, &[], &[]), Ok(Settings::default()), "{file:?}");
    }
    assert_eq!(Settings::try_from(RawSettings::default()), Ok(Settings::default()));
}

#[test]
fn json_is_read_as_well() {
    let settings = resolve(r#"{"timeoutSeconds": 5, "regions": ["cn-x"]}"#, &[], &[]).unwrap();
    assert_eq!((settings.timeout_seconds, names(&settings.regions)), (5, vec!["cn-x".to_owned()]));
}

#[test]
fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
    let file = "{region: cn-beijing, accountId: 1, clusterId: c1}";
    let environment = [
        ("SECRETS_WEBHOOK_SETTING_REGION", "cn-shanghai"),
        ("SECRETS_WEBHOOK_SETTING_ACCOUNT_ID", "2"),
        ("PATH", "/bin"),
    ];
    let settings = resolve(file, &["region=cn-hangzhou"], &environment).unwrap();
    assert_eq!(settings.region.as_ref().map(Region::as_str), Some("cn-hangzhou"));
    assert_eq!(settings.account_id(), Some("2"));
    assert_eq!(settings.cluster_id.as_ref().map(ClusterId::as_str), Some("c1"));
}

#[test]
fn nested_fields_and_lists_can_be_overridden() {
    let environment = [
        ("SECRETS_WEBHOOK_SETTING_INJECTOR_RESOURCES_GUARANTEED_CPU", "250m"),
        ("SECRETS_WEBHOOK_SETTING_MESH_PROXIES", "one, two"),
    ];
    let flags = ["injector.image=r/i:1=x", "injector.extraArgs=", "regions=cn-a,cn-b"];
    let settings = resolve("{injector: {extraArgs: [-v]}}", &flags, &environment).unwrap();
    assert_eq!(settings.injector.resources.guaranteed_cpu.as_str(), "250m");
    assert_eq!(settings.injector.image, "r/i:1=x");
    assert_eq!(settings.injector.extra_args, Vec::<String>::new());
    assert_eq!(names(&settings.mesh_proxies), ["one", "two"]);
    assert_eq!(names(&settings.regions), ["cn-a", "cn-b"]);
}

#[test]
fn one_list_of_hosts_is_for_kms_and_oos_and_never_for_sts() {
    let hosts = |file: &str, flags: &[&str]| {
        let Endpoints { kms, oos, sts } = resolve(file, flags, &[]).unwrap().allowed_endpoints;
        [kms, oos, sts].map(|hosts| names(&hosts).join(","))
    };
    let list = "allowedEndpoints: [a.b, c.d]";
    let services = "allowedEndpoints: {kms: [a.b], sts: [s.t]}";
    assert_eq!(hosts(list, &[]), ["a.b,c.d", "a.b,c.d", ""]);
    assert_eq!(hosts(services, &[]), ["a.b", "", "s.t"]);
    assert_eq!(hosts("allowedEndpoints:", &[]), ["", "", ""]);
    assert_eq!(hosts(list, &["allowedEndpoints.sts=s.t"]), ["a.b,c.d", "a.b,c.d", "s.t"]);
    assert_eq!(hosts(list, &["allowedEndpoints.kms=k.m"]), ["k.m", "a.b,c.d", ""]);
    // The whole field is replaced.
    assert_eq!(hosts(services, &["allowedEndpoints=k.m"]), ["k.m", "k.m", ""]);
    for file in
        ["allowedEndpoints: {ksm: [a.b]}", "allowedEndpoints: a.b", "allowedEndpoints: {kms: x}"]
    {
        let problem = resolve(file, &[], &[]).expect_err(file);
        assert!(problem.contains("lists of them under kms, oos and sts"), "{problem}");
    }
}

#[test]
fn a_misspelt_name_gets_a_suggestion() {
    let unknown = resolve("", &["injector.imgae=x"], &[]).unwrap_err();
    assert_eq!(unknown, r#"unknown setting "injector.imgae", did you mean injector.image?"#);
    let unknown = resolve("", &[], &[("SECRETS_WEBHOOK_SETTING_REGOIN", "x")]).unwrap_err();
    assert_eq!(
        unknown,
        "unknown environment variable SECRETS_WEBHOOK_SETTING_REGOIN, \
         did you mean SECRETS_WEBHOOK_SETTING_REGION?"
    );
    let unknown = resolve("", &["colour"], &[]).unwrap_err();
    assert_eq!(unknown, r#"setting "colour" has no value: write NAME=VALUE"#);
    let unknown = resolve("regoin: x", &[], &[]).unwrap_err();
    assert!(unknown.contains("settings.yaml") && unknown.contains("regoin"), "{unknown}");
}

#[test]
fn bad_values_are_named_with_what_is_allowed_all_at_once() {
    let problem = resolve("{network: vcp, tokenExpirationSeconds: 60}", &[], &[]).unwrap_err();
    assert_eq!(
        problem,
        "setting network: \"vcp\" is not allowed, must be vpc or public; \
         setting tokenExpirationSeconds: \"60\" is not allowed, \
         must be a number of seconds from 600 to 43200"
    );
}

#[test]
fn a_region_that_does_not_exist_gets_a_suggestion() {
    let problem = |flags: &[&str]| resolve("", flags, &[]).unwrap_err();
    assert_eq!(
        problem(&["region=cn-hangzou"]),
        "setting region: \"cn-hangzou\" is not allowed, must be a region that exists, \
         or that the setting regions names; did you mean cn-hangzhou?"
    );
    let moon = problem(&["region=cn-mooon-1", "regions=cn-moon-1"]);
    assert!(moon.ends_with("; did you mean cn-moon-1?"), "{moon}");
    let far = problem(&["region=somewhere-else-entirely"]);
    assert!(far.ends_with("regions names"), "{far}");
}

#[test]
fn a_region_of_the_operators_own_is_known() {
    let settings = resolve("{region: cn-moon-1, regions: [cn-moon-1]}", &[], &[]).unwrap();
    assert_eq!(settings.region.as_ref().map(Region::as_str), Some("cn-moon-1"));
}

#[test]
fn a_character_that_no_file_name_has_is_refused_and_not_replaced_by_another() {
    let problem = resolve("", &["pathTranslation=\\"], &[]).unwrap_err();
    assert_eq!(
        problem,
        "setting pathTranslation: \"\\\\\" is not allowed, \
         must be one character other than / and \\, or False"
    );
}

#[test]
fn a_provider_that_an_annotation_may_name_may_be_named_by_the_operator() {
    let provider = "acs:ram::1:oidc-provider/team@example.com";
    let settings = resolve("", &[&format!("oidcProviderArn={provider}")], &[]).unwrap();
    let role = RoleArn::parse("acs:ram::2:role/any").unwrap();
    assert_eq!(settings.oidc_provider(&role).unwrap().as_str(), provider);
}

#[test]
fn a_providers_account_is_the_operators_or_else_that_of_the_role() {
    let role = RoleArn::parse("acs:ram::2:role/any").unwrap();
    let provider = |flags: &[&str]| {
        let settings = resolve("", flags, &[]).unwrap();
        settings.oidc_provider(&role).map(|provider| provider.to_string())
    };
    let of = |account| Some(format!("acs:ram::{account}:oidc-provider/ack-rrsa-c1"));
    assert_eq!(provider(&["clusterId=c1"]), of(2));
    assert_eq!(provider(&["clusterId=c1", "accountId=1"]), of(1));
    assert_eq!(provider(&["accountId=1"]), None);
}

#[test]
fn a_list_that_is_left_blank_is_not_one_that_allows_all() {
    for file in ["onlyVariables:", "onlyVariables: []", "onlyVariables: ~"] {
        let problem = resolve(file, &[], &[]).expect_err(file);
        assert!(
            problem.starts_with("setting onlyVariables: \"nothing\" is not allowed"),
            "{problem}"
        );
    }
    assert_eq!(resolve("", &[], &[]).unwrap().only_variables, None);
}

#[test]
fn a_hostile_file_is_refused_without_being_quoted() {
    let deep = "[".repeat(100_000);
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nregions: [*b]\n";
    for file in [
        "region: {a: canary}",
        "- canary",
        "canary",
        "allowedEndpoints: canary",
        "allowedEndpoints: {kms: {a: canary}}",
        "region: a\nregion: b",
        &deep,
        bomb,
    ] {
        let problem = resolve(file, &[], &[]).expect_err(file);
        // A message may list all settings that there are.
        assert!(!problem.contains("canary") && problem.len() < 600, "{problem}");
    }
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_parsed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.yaml");
    std::fs::write(&path, vec![b'#'; usize::try_from(FILE_LIMIT).unwrap() + 1]).unwrap();
    let problem = Inputs::new(Some(path), &[], []).unwrap().load().unwrap_err();
    assert!(matches!(problem, LoadError::TooLarge { .. }), "{problem}");
}

#[test]
fn a_missing_file_is_named() {
    let inputs = Inputs::new(Some("/nonexistent/settings.yaml".into()), &[], []).unwrap();
    let problem = inputs.load().unwrap_err().to_string();
    assert!(problem.starts_with("reading settings file /nonexistent/settings.yaml: "), "{problem}");
}
