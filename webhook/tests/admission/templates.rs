use plan::{Content, File, OnMissing};
use serde_json::Value;

use crate::support::{ask, ask_with, injected, plan, pod, review, route, settings_with, volume};

const ENV: (&str, &str) =
    ("template.app.env", "USER={{ secret(\"kms://app/db#user\") }}\nKEY={{ secret('key') }}\n");

fn template(file: &File) -> &plan::Template {
    match &file.content {
        Content::Template(template) => template,
        Content::Value(_) => panic!("{} is no template", file.name),
    }
}

fn denied(annotations: &[(&str, &str)]) -> String {
    ask(&pod(annotations)).message().to_owned()
}

#[test]
fn a_template_annotation_makes_a_file_and_its_sources_none() {
    let after = injected(&pod(&[ENV]));
    let plan = plan(&after);
    assert_eq!(plan.files().len(), 1);
    let file = &plan.files()[0];
    assert_eq!((file.name.as_str(), file.options.on_missing), ("app.env", OnMissing::Fail));
    let template = template(file);
    assert_eq!(template.text, ENV.1);
    let secrets: Vec<_> = template
        .secrets
        .iter()
        .map(|secret| {
            let select = secret.select.as_ref().map(ToString::to_string);
            let lookup = &plan.lookups()[secret.from];
            (secret.written.as_str(), lookup.source().to_string(), select)
        })
        .collect();
    assert_eq!(
        secrets,
        [
            ("kms://app/db#user", "kms://app/db".to_owned(), Some("user".to_owned())),
            ("key", "kms://key".to_owned(), None),
        ]
    );
    assert_eq!(volume(&after, "kms-secrets")["emptyDir"]["sizeLimit"], "1Mi");
    let status: Value = serde_json::from_str(
        after["metadata"]["annotations"]["kms.alibabacloud/status"].as_str().unwrap(),
    )
    .unwrap();
    assert_eq!(status["files"], 1);
}

#[test]
fn a_source_of_templates_and_files_is_looked_up_once() {
    let secrets = "db: kms://app/db\nuser: kms://app/db#user\nurl:\n  template: |\n    {{ secret(\"app/db#user\") }}:{{ secret(\"kms://app/db#password\") | urlencode }}\n  fileMode: \"0440\"\n  onMissing: skip\n";
    let plan = plan(&injected(&pod(&[("secrets", secrets), ENV])));
    let names: Vec<_> = plan.files().iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["db", "user", "url", "app.env"]);
    let lookups: Vec<_> = plan.lookups().iter().map(|lookup| lookup.source().to_string()).collect();
    assert_eq!(lookups, ["kms://app/db", "kms://key"]);
    let url = &plan.files()[2];
    assert_eq!(
        (url.options.mode.to_string().as_str(), url.options.on_missing),
        ("0440", OnMissing::Skip)
    );
    assert_eq!(template(url).secrets.len(), 2);
}

#[test]
fn sources_of_a_template_are_asked_for_where_and_as_whom_the_pod_says() {
    let elsewhere = plan(&injected(&pod(&[
        ENV,
        ("region", "cn-beijing"),
        ("cross-account-role-arn", "acs:ram::9876543210987654:role/other"),
        ("kms-endpoint", "kms.{region}.aliyuncs.com"),
    ])));
    for lookup in elsewhere.lookups() {
        assert_eq!(route(lookup).region.as_str(), "cn-beijing");
        assert_eq!(
            route(lookup).endpoint.as_ref().unwrap().as_str(),
            "kms.cn-beijing.aliyuncs.com"
        );
        let assume = route(lookup).assume.as_ref().unwrap();
        assert_eq!(assume.role.as_str(), "acs:ram::9876543210987654:role/other");
    }
    let own = "a: {template: '{{ secret(\"x\") }}', region: cn-shanghai}\nb: x\n";
    let own = plan(&injected(&pod(&[("secrets", own)])));
    let regions: Vec<_> =
        own.lookups().iter().map(|lookup| route(lookup).region.as_str()).collect();
    assert_eq!(regions, ["cn-hangzhou", "cn-shanghai"]);
}

#[test]
fn what_the_operator_forbids_is_forbidden_in_templates_too() {
    let flags = [
        "region=cn-hangzhou",
        "clusterId=c0123",
        "policy=[{name: shops, namespaces: [shop], roles: ['acs:ram::1234567890123456:role/demo-*']}]",
    ];
    let inputs = webhook::settings::Inputs::new(None, &flags.map(str::to_owned), []).unwrap();
    let limited = inputs.load().unwrap();
    let text = "a: {template: '{{ secret(\"x\") }}', crossAccountRoleArn: 'acs:ram::9876543210987654:role/other'}";
    let answer = ask_with(&review(&pod(&[("secrets", text)])), &limited);
    assert!(answer.message().contains("may not use acs:ram::9876543210987654:role/other"));
    let nowhere = settings_with(&["region="]);
    let answer = ask_with(&review(&pod(&[ENV])), &nowhere);
    let message = answer.message();
    assert!(message.contains("no region is known for template.app.env and 1 more"), "{message}");
    let foreign = pod(&[ENV, ("kms-endpoint", "evil.example.com")]);
    assert!(ask(&foreign).message().contains("kms-endpoint"));
}

#[test]
fn too_much_in_templates_is_told_without_an_annotation_that_is_not_there() {
    let calls: String = (0..257).map(|index| format!("{{{{ secret(\"s{index}\") }}}}")).collect();
    let message = denied(&[("template.many", &calls)]);
    assert!(
        message
            .starts_with("the annotations: the plan asks for 257 secrets; at most 256 are allowed"),
        "{message}"
    );
    let text = format!("{{{{ secret(\"x\") }}}}{}", "x".repeat(15_000));
    let names: Vec<String> = (0..8).map(|index| format!("template.t{index}")).collect();
    let large: Vec<_> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
    let message = denied(&large);
    assert!(message.starts_with("the annotations: the plan has "), "{message}");
    assert!(!message.contains("kms.alibabacloud/secrets"), "{message}");
}

#[test]
fn a_bad_template_is_denied_by_annotation_line_and_remedy() {
    for (text, expected) in [
        (
            "a\n{% for k in [1] %}{{ secret(\"x\") }}{% endfor %}",
            "kms.alibabacloud/template.app.env, line 2: a template has no statement for; it has if and set",
        ),
        (
            "\n\n{% include \"x\" %}",
            "kms.alibabacloud/template.app.env, line 3: a template has no statement include; it has if and set, and neither loops nor uses",
        ),
        ("{{ secret(name) }}", "line 1: secret() takes exactly one source, written out as text"),
        ("{{ secret(\"kms://\" ~ \"x\") }}", "secret() takes exactly one source"),
        (
            "{{ secret(\"x\") | quote_shel }}",
            "there is no filter \"quote_shel\"; did you mean quote_shell?",
        ),
        ("{{ secret(\"x\") | unheard_of }}", "the filters are trim, upper"),
        ("{{ secrets(\"x\") }}", "there is no function secrets(); did you mean secret?"),
        ("{{ user }}", "user is not defined; write text in quotes"),
        ("\n{{ secret(\"x\") * 9 }}", "line 2: a template does not calculate; A ~ B puts texts"),
        ("{{ [secret(\"x\")] }}", "no filter writes it as text; hand it to a filter at once"),
        ("{{ secret(\"x\") ", "the template does not parse; check that"),
        ("PASSWORD=${kms://x}", "the template uses no secret; write {{ secret("),
        ("\n{{ secret(\"s3://x\") }}", "line 2: unknown scheme \"s3://\""),
        ("{{ secret(\"s3://x\") }}", "unknown scheme \"s3://\""),
        ("{{ secret(\"x#a..b\") }}", "JMESPath"),
    ] {
        let message = denied(&[("template.app.env", text)]);
        assert!(message.contains(expected), "{text}: {message}");
        let first = message.lines().next().unwrap();
        assert!(first.chars().count() <= 200, "{first}");
    }
    let long = format!("{{{{ secret(\"x\") }}}}{}", "y".repeat(16 * 1024));
    assert!(denied(&[("template.app.env", &long)]).contains("at most 16384 are allowed"));
}

#[test]
fn a_bad_template_in_the_mapping_is_denied_by_file_and_its_own_line() {
    let text = "db: kms://db\napp.env:\n  template: |\n    ok\n    {{ secret(\"x\") | nope }}\n";
    let message = denied(&[("secrets", text)]);
    assert!(
        message.starts_with(
            "kms.alibabacloud/secrets, line 4, file \"app.env\", template line 2: there is no filter \"nope\"; "
        ),
        "{message}"
    );
}

#[test]
fn all_problems_of_all_templates_are_told_at_once() {
    let message = denied(&[
        ("template.a", "{{ x }}{{ y }}"),
        ("template.b", "{{ secret(\"s3://x\") }}{{ secret(\"gs://x\") }}"),
        ("template.", "x"),
        ("template.c", "{% for %}"),
    ]);
    assert!(message.contains("of 6 problems"), "{message}");
}

#[test]
fn two_files_with_one_name_are_a_problem_that_names_both() {
    let secrets = "a: kms://x\n\"app.env\": kms://y\n";
    let message = denied(&[("secrets", secrets), ENV]);
    assert!(
        message.contains(
            "kms.alibabacloud/template.app.env, line 1: the file name \"app.env\" is taken already by kms.alibabacloud/secrets, line 2"
        ),
        "{message}"
    );
}

#[test]
fn a_name_that_no_file_can_have_is_denied() {
    for (key, words) in [
        ("template", "it names no file; write kms.alibabacloud/template.FILE"),
        ("template.", "names no file"),
        ("template..kms-x", "reserved"),
    ] {
        let message = denied(&[(key, "{{ secret(\"x\") }}")]);
        assert!(message.contains(words), "{key}: {message}");
        assert!(!message.contains("nothing to fetch"), "{message}");
    }
}

#[test]
fn a_mode_that_nobody_can_read_is_denied_for_templates_too() {
    let mut pod = pod(&[("secrets", "a: {template: '{{ secret(\"x\") }}', fileMode: \"0400\"}")]);
    pod["spec"]["containers"][0]["securityContext"] = serde_json::json!({"runAsUser": 1000});
    pod["metadata"]["annotations"]["kms.alibabacloud/run-as-user"] = serde_json::json!("2000");
    assert!(ask(&pod).message().contains("file \"a\""), "{}", ask(&pod).message());
}

#[test]
fn a_dollar_in_a_template_does_not_reach_the_kubelets_expansion() {
    let text = "$(HOME) $$ ${X} {{ secret(\"x\") }}";
    let after = injected(&pod(&[("template.a", text)]));
    assert_eq!(template(&plan(&after).files()[0]).text, text);
    assert!(!crate::support::ours(&after)["env"].to_string().contains('$'));
}
