//! How large a Pod may be, and that a larger one is denied in words.

use std::fmt::Write as _;

use serde_json::{Value, json};
use webhook::settings::Inputs;
use webhook::wire::admit::admit;
use webhook::wire::reply::Outcome;

use crate::support::{ask, ask_with, injected, pod, review, settings, settings_with};

const TEXTS: &str = "it has more than 131072 bytes in command, args, values of variables and paths of mounts \
     together";

const FILE: (&str, &str) = ("secrets", "db: kms://shop/db");

fn with(list: &str, entries: Vec<Value>) -> Value {
    let mut pod = pod(&[FILE]);
    pod["spec"]["containers"][0][list] = Value::Array(entries);
    pod
}

fn containers(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({"name": format!("c{n}"), "command": ["/app"]})).collect()
}

fn denied(pod: &Value) -> String {
    ask(pod).message().to_owned()
}

#[test]
fn more_than_a_pod_may_have_is_denied_by_what_there_is_too_much_of() {
    let many = |count: usize, entry: Value| vec![entry; count];
    let mut in_both_lists = pod(&[FILE]);
    in_both_lists["spec"]["containers"] = json!(containers(128));
    in_both_lists["spec"]["initContainers"] =
        (0..129).map(|n| json!({"name": format!("i{n}")})).collect();
    let mut volumes = with("volumeMounts", many(1048, json!({"name": "x", "mountPath": "/x"})));
    volumes["spec"]["volumes"] = json!(many(1001, json!({"name": "x"})));
    let mut capabilities = pod(&[FILE]);
    capabilities["spec"]["containers"][0]["securityContext"] =
        json!({"capabilities": {"add": many(513, json!("CHOWN"))}});
    let mut dropped = pod(&[FILE]);
    dropped["spec"]["containers"][0]["securityContext"] =
        json!({"capabilities": {"drop": many(2049, json!("CHOWN"))}});
    let mut long_capabilities = pod(&[FILE]);
    long_capabilities["spec"]["containers"][0]["securityContext"] =
        json!({"capabilities": {"add": many(2, json!("A".repeat(70_000)))}});
    let path = json!({"name": "x", "mountPath": "/x".repeat(2049)});
    let part = json!({"name": "x", "mountPath": "/x", "subPath": "x".repeat(4097)});
    let parts = json!({"name": "x", "mountPath": "/x", "subPath": "x".repeat(4000)});
    let long = json!({"name": "x", "mountPath": "/.".repeat(2048)});
    let mut wordy = pod(&[FILE]);
    wordy["spec"]["containers"] = json!(containers(3));
    for container in wordy["spec"]["containers"].as_array_mut().unwrap() {
        container["args"] = json!(["x".repeat(100_000)]);
    }
    for (pod, words) in [
        (in_both_lists, "the Pod: it has more than 256 containers and init containers"),
        (volumes, "it has more than 2048 volumes, mounts, ports and environment variables"),
        (with("env", many(2049, json!({"name": "A"}))), "environment variables together"),
        (with("ports", many(2049, json!({}))), "mounts, ports"),
        (with("args", many(2049, json!("x"))), "it has more than 2048 words in command and args"),
        (with("command", many(2049, json!("x"))), "more than 2048 words"),
        (capabilities, "it has more than 512 added capabilities"),
        (dropped, "it has more than 2048 dropped capabilities"),
        (with("volumeMounts", vec![path]), "a mountPath or subPath has more than 4096 bytes"),
        (with("volumeMounts", many(33, long)), TEXTS),
        (with("volumeMounts", vec![part]), "a mountPath or subPath has more than 4096 bytes"),
        (with("volumeMounts", many(33, parts)), TEXTS),
        (
            long_capabilities,
            "bytes in names of containers, volumes, mounts, variables and capabilities",
        ),
        (wordy, TEXTS),
        (
            with("args", many(4, json!("\"".repeat(8_200)))),
            "its JSON and what is added to it have more than 28672 backslashes together",
        ),
        (
            with("args", many(4, json!("\u{1}".repeat(4_100)))),
            "its JSON and what is added to it have more than 28672 backslashes together",
        ),
        (with("unheardOf", many(600_000, json!(0))), "it has more than 1048576 bytes of JSON"),
        (
            with("env", many(2, json!({"name": "A".repeat(70_000)}))),
            "it has more than 131072 bytes in names of containers, volumes, mounts, variables and capabilities",
        ),
        (with("env", many(3, json!({"name": "A", "value": "$()".repeat(32_000)}))), TEXTS),
        (
            with(
                "volumeMounts",
                many(
                    3,
                    json!({"name": "x", "mountPath": "/x", "subPathExpr": "$()".repeat(32_000)}),
                ),
            ),
            TEXTS,
        ),
    ] {
        let message = denied(&pod);
        assert!(message.contains(words), "{words}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_name_that_problems_or_plans_would_repeat_has_a_bounded_length() {
    let long = "x".repeat(254);
    let with_name = |at: &dyn Fn(&mut Value) -> &mut Value| {
        let mut pod = pod(&[FILE]);
        *at(&mut pod) = json!(long);
        pod
    };
    for pod in [
        with_name(&|pod| &mut pod["spec"]["serviceAccountName"]),
        with_name(&|pod| &mut pod["metadata"]["name"]),
        with_name(&|pod| {
            pod["metadata"] = json!({"annotations": pod["metadata"]["annotations"]});
            &mut pod["metadata"]["generateName"]
        }),
        with_name(&|pod| &mut pod["spec"]["containers"][0]["name"]),
        with_name(&|pod| {
            pod["spec"]["volumes"] = json!([{"emptyDir": {}}]);
            &mut pod["spec"]["volumes"][0]["name"]
        }),
        with_name(&|pod| {
            pod["spec"]["containers"][0]["volumeMounts"] = json!([{"mountPath": "/x"}]);
            &mut pod["spec"]["containers"][0]["volumeMounts"][0]["name"]
        }),
    ] {
        let message = denied(&pod);
        assert!(message.contains("a name of more than 253 bytes"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn an_annotation_whose_name_is_too_long_is_told_once_whatever_stands_in_it() {
    let key = format!("env.{}", "x".repeat(100_000));
    let variables: String = (0..256).map(|n| format!("A{n}: acs:kms:zz:1:secret/a\n")).collect();
    let longest = format!("env.{}", "x".repeat(200));
    let allowed = format!("env.{}", "x".repeat(60));
    for (key, words) in [
        (key.as_str(), "the name of the annotation has 100004 bytes; at most 63 are allowed"),
        (&longest, "is not the name of a container"),
        (&allowed, "at most 63 characters in its name; write in kms.alibabacloud/env"),
        ("env.Not_A_Name", "is not the name of a container"),
    ] {
        let message = denied(&pod(&[(key, &variables)]));
        assert!(message.contains(words) && message.len() < 1500, "{words}: {message}");
        assert!(message.lines().count() <= 2, "{message}");
    }
}

#[test]
fn as_much_as_a_pod_may_have_is_injected() {
    let mut full = pod(&[FILE]);
    full["spec"]["containers"] = json!(containers(256));
    for (index, container) in
        full["spec"]["containers"].as_array_mut().unwrap().iter_mut().enumerate()
    {
        container["env"] = (0..4).map(|n| json!({"name": format!("V{n}"), "value": "x"})).collect();
        container["ports"] = (0..4).map(|n| json!({"containerPort": 1 + index * 4 + n})).collect();
        container["args"] = json!(vec!["x"; 7]);
    }
    let after = injected(&full);
    assert_eq!(after["spec"]["containers"].as_array().unwrap().len(), 256);
    assert_eq!(after["spec"]["containers"][255]["volumeMounts"][0]["name"], "kms-secrets");
}

#[test]
fn long_paths_and_words_are_injected_as_long_as_they_stay_below_what_pods_need() {
    let mut long = pod(&[FILE]);
    long["spec"]["containers"] = json!(containers(20));
    for container in long["spec"]["containers"].as_array_mut().unwrap() {
        let mount = |n| json!({"name": format!("v{n}"), "mountPath": format!("/{n:059}")});
        container["volumeMounts"] = (0..100).map(mount).collect();
    }
    long["spec"]["containers"][0]["args"] = json!(["x".repeat(10 * 1024)]);
    injected(&long);
}

#[test]
fn a_pod_that_wants_nothing_may_be_as_large_as_it_likes() {
    let mut large = pod(&[]);
    large["metadata"]["annotations"] = json!({});
    large["spec"]["containers"] = json!(containers(1000));
    large["spec"]["volumes"] = json!(vec![json!({"name": "x"}); 5000]);
    assert_eq!(ask(&large).outcome, Outcome::Unchanged);
}

#[test]
fn a_body_of_empty_entries_is_denied_by_the_list_that_it_fills() {
    for (list, words) in [
        ("containers", "containers and init containers"),
        ("initContainers", "containers and init containers"),
        ("volumes", "volumes, mounts"),
    ] {
        let empty = format!("\"{list}\":[{}{{}}],\"x\":", "{},".repeat(200_000));
        let body = review(&pod(&[FILE])).to_string();
        let body = match list {
            "containers" => body.replacen("\"containers\":", &empty, 1),
            _ => body.replacen("\"containers\":", &format!("{empty}0,\"containers\":"), 1),
        };
        let reply = admit(body.as_bytes(), &settings());
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        let message = answer["response"]["status"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{list}: {message}");
    }
}

#[test]
fn annotations_without_end_are_denied() {
    let keys: Vec<String> = (0..128).map(|n| format!("template.f{n}")).collect();
    let many: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    let message = denied(&pod(&many));
    assert!(
        message.starts_with("the annotations: there are 129 under kms.alibabacloud/; at most 128"),
        "{message}"
    );
    let message = denied(&pod(&[FILE, ("region", &"x".repeat(128 * 1024))]));
    assert!(message.starts_with("kms.alibabacloud/region: with it the annotations"), "{message}");
    assert!(message.contains("at most 131072 are allowed"), "{message}");
}

#[test]
fn more_names_than_a_pod_may_have_containers_are_denied() {
    let names = (0..257).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let message = denied(&pod(&[FILE, ("containers", &names)]));
    assert!(message.contains("it names 257 containers; name at most 256"), "{message}");
    let mut text = String::new();
    for n in 0..5 {
        let _ = writeln!(text, "A{n}: {{source: x, containers: [{}]}}", "x,".repeat(256));
    }
    let message = denied(&pod(&[("env", &text)]));
    assert!(
        message.contains("more than 1024 names of containers for variables together"),
        "{message}"
    );
}

#[test]
fn more_patterns_of_an_agents_secrets_than_are_compared_are_denied() {
    let agent = |count: usize| {
        let patterns = (0..count).map(|n| format!("shop/{n}-*")).collect::<Vec<_>>().join(",");
        pod(&[("mode", "agent"), ("agent-secrets", &patterns)])
    };
    injected(&agent(64));
    let message = denied(&agent(65));
    assert!(message.contains("it has 65 patterns; list at most 64"), "{message}");
}

#[test]
fn variables_for_too_many_containers_are_denied_once() {
    let text: String = (0..20).map(|n| format!("A{n}: x\n")).collect();
    let mut many = pod(&[("env", &text)]);
    many["spec"]["containers"] = json!(containers(20));
    let message = denied(&many);
    assert!(
        message.starts_with("the annotations: they set more than 256 variables, counted for each"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 2, "{message}");
    let text: String = (0..257).map(|n| format!("A{n}: x\n")).collect();
    let mut one = pod(&[("env", &text)]);
    one["spec"]["containers"] = json!(containers(1));
    let message = denied(&one);
    assert!(message.contains("the Pod asks for more than 256 variables together"), "{message}");
    let text: String = (0..16).map(|n| format!("A{n}: x\n")).collect();
    let mut most = pod(&[("env", &text)]);
    most["spec"]["containers"] = json!(containers(16));
    injected(&most);
}

/// Each would be at least one variable of each container.
#[test]
fn secrets_of_which_all_keys_are_wanted_are_counted_once_for_each_of_their_containers() {
    let keys = |count: usize| -> String {
        (0..count).map(|n| format!("\"*\": {{source: kms://shop/{n}, prefix: P{n}_}}\n")).collect()
    };
    let asked = |keys: &str, count: usize| {
        let mut pod = pod(&[("env", keys)]);
        pod["spec"]["containers"] = json!(containers(count));
        pod
    };
    injected(&asked(&keys(16), 16));
    injected(&asked(&keys(1), 256));
    for (text, count) in [(keys(16), 17), (keys(2), 129), (format!("{}A: x\n", keys(15)), 17)] {
        let message = denied(&asked(&text, count));
        assert!(
            message
                .starts_with("the annotations: they set more than 256 variables, counted for each"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 2, "{message}");
    }
}

/// Kubernetes refuses such names only after it has called us.
#[test]
fn more_secrets_of_which_all_keys_are_wanted_are_denied_where_no_container_can_have_them_too() {
    let keys = |count: usize| "'*': x\n".repeat(count);
    let asked = |keys: &str| {
        let mut pod = pod(&[("env", keys)]);
        pod["spec"]["containers"][0]["name"] = json!("No_Name");
        pod["spec"]["containers"][0]["command"] = json!(["/app"]);
        pod
    };
    let message = denied(&asked(&keys(17)));
    assert!(message.contains("all keys of more than 16 secrets are wanted"), "{message}");
    let reply = ask(&asked(&keys(16))).response.to_string();
    assert!(!reply.contains("more than 16 secrets"), "{reply}");
}

#[test]
fn expressions_and_values_in_templates_without_end_are_denied() {
    let long = format!("a: x#{}\n", "a.".repeat(200) + "a");
    let text: String = (0..50).map(|n| long.replacen('a', &format!("f{n}"), 1)).collect();
    let message = denied(&pod(&[("secrets", &text)]));
    assert!(message.contains("more than 4096 bytes of JMESPath expressions"), "{message}");
    let plain = format!("{{{{ secret(\"x\") }}}}{}", "x".repeat(11_000));
    let keys: Vec<String> = (0..3).map(|n| format!("template.f{n}")).collect();
    let three: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), plain.as_str())).collect();
    let message = denied(&pod(&three));
    assert!(message.contains("more than 32768 bytes of templates together"), "{message}");
    injected(&pod(&three[..2]));
    let calls: String = (0..180).map(|n| format!("secret(\"s{n}\"),")).collect();
    let calls = format!("{{{{[{calls}]|join}}}}");
    let keys: Vec<String> = (0..3).map(|n| format!("template.f{n}")).collect();
    let three: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), calls.as_str())).collect();
    let message = denied(&pod(&three));
    assert!(message.contains("more than 512 values in templates together"), "{message}");
}

/// Each value of a template or an object would have it for itself.
#[test]
fn an_endpoint_that_is_too_long_is_told_once_however_many_secrets_are_fetched_there() {
    let long = "x".repeat(600);
    let template =
        format!("f: {{template: \"{{{{secret('a')}}}}{{{{secret('b')}}}}\", endpoint: {long}}}");
    let extracts = "[{path: a, objectAlias: f}, {path: b, objectAlias: g}]";
    let object = format!("- {{objectName: a, kmsEndpoint: {long}, jmesPath: {extracts}}}");
    for (text, place) in [(template, "file \"f\", endpoint"), (object, "item 1, kmsEndpoint")] {
        let message = denied(&pod(&[("secrets", &text)]));
        assert!(message.contains(&format!("line 1, {place}: the endpoint xxx")), "{message}");
        assert!(message.contains("has 600 bytes, and no host name has"), "{message}");
        assert!(!message.contains(" problems)"), "{message}");
    }
}

/// What looks like a part is read as one, for a word on it.
#[test]
fn comments_are_read_and_told_only_so_many_of_one_pod() {
    let warned = |comments: &[String]| {
        let keys: Vec<String> = (0..comments.len()).map(|n| format!("env.c{n}")).collect();
        let keys = keys.iter().map(String::as_str);
        let annotations: Vec<_> = keys.zip(comments.iter().map(String::as_str)).collect();
        let mut pod = pod(&annotations);
        pod["spec"]["containers"] = json!(containers(comments.len()));
        ask(&pod).warnings().matches("is a comment").count()
    };
    let several = |count: usize| format!("A: x\n{}", "# x #a\n".repeat(count));
    assert_eq!(warned(&[several(8), several(8)]), 16);
    assert_eq!(warned(&[several(10), several(10)]), 16);
    let none = "A: x\n# y #a\n".to_owned();
    assert_eq!(warned(&[none.replace("# y #a\n", &"# y #a\n".repeat(31)), several(2)]), 1);
    let long = format!("A: x\n# x #{}\n", "a.".repeat(200) + "a");
    assert_eq!(warned(&[long.clone(), long.clone(), long, several(1)]), 2);
}

#[test]
fn words_of_all_templates_are_counted_together() {
    let text = format!("{{{{ [{}secret(\"x\")] | join }}}}", "1, ".repeat(750));
    let keys: Vec<String> = (0..3).map(|n| format!("template.f{n}")).collect();
    let three: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), text.as_str())).collect();
    injected(&pod(&three[..2]));
    let message = denied(&pod(&three));
    assert!(
        message.contains("with it the templates of the Pod have more than 3072 words, signs"),
        "{message}"
    );
}

#[test]
fn lines_of_many_annotations_are_counted_together_and_each_time_that_they_are_read() {
    let listed = |lines: usize| format!("a\n# more\n{}b", "\n".repeat(lines));
    injected(&pod(&[("secrets", &listed(4_000))]));
    let message = denied(&pod(&[("secrets", &listed(4_500))]));
    assert!(message.contains("more than 4096 lines together"), "{message}");
    let text = |name: &str| format!("{}{name}: x", "# why\n".repeat(1_800));
    let all = [text("A"), text("B"), text("C")];
    let of_three = |annotations: &[(&str, &str)]| {
        let mut pod = pod(annotations);
        pod["spec"]["containers"] = json!(containers(3));
        pod
    };
    injected(&of_three(&[("env.c0", &all[0]), ("env.c1", &all[1])]));
    let message =
        denied(&of_three(&[("env.c0", &all[0]), ("env.c1", &all[1]), ("env.c2", &all[2])]));
    assert_eq!(message.matches("more than 4096 lines together").count(), 1, "{message}");
}

#[test]
fn keys_and_values_in_many_annotations_are_counted_together() {
    let list = format!("A: [{}]", "x,".repeat(780));
    let keys: Vec<String> = (0..5).map(|n| format!("env.c{n}")).collect();
    let five: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), list.as_str())).collect();
    let message = denied(&pod(&five[..4]));
    assert!(!message.contains("keys and values together"), "{message}");
    let message = denied(&pod(&five));
    assert!(
        message.contains("kms.alibabacloud/env.c4, line 1: with it the annotations have more than 3200 keys and values together"),
        "{message}"
    );
    assert_eq!(message.matches("3200 keys").count(), 1, "{message}");
}

#[test]
fn as_much_as_a_plan_has_room_for_fits_into_annotations_with_five_fields_each() {
    let line = |n| {
        format!(
            "f{n}: {{source: s/{n}, region: cn-beijing, fileMode: \"0444\", onMissing: skip, \
             crossAccountRoleArn: \"acs:ram::1:role/r\"}}\n"
        )
    };
    let files: String = (0..256).map(line).collect();
    injected(&pod(&[("secrets", &files)]));
}

#[test]
fn names_are_compared_with_so_many_patterns_of_the_operator_and_no_more() {
    let asked = |variables: usize, patterns: &[String]| {
        let flags = ["region=cn-hangzhou", "clusterId=c0123"].map(str::to_owned);
        let flags = [flags.as_slice(), &[format!("onlyVariables={}", patterns.join(","))]].concat();
        let settings = Inputs::new(None, &flags, []).unwrap().load().unwrap();
        let line = |n| format!("{}{n:03}: kms://shop/db\n", "A".repeat(125));
        let text: String = (0..variables).map(line).collect();
        let mut pod = pod(&[("env", &text)]);
        pod["spec"]["containers"][0]["command"] = json!(["/app"]);
        ask_with(&review(&pod), &settings)
    };
    let starred = |count: usize| -> Vec<String> {
        (0..count).map(|n| format!("A*{}B{n}*", "A".repeat(60))).chain(["*".to_owned()]).collect()
    };
    // The last pattern means all of them, and is not come to.
    let answer = asked(256, &starred(100));
    let message = answer.message();
    assert!(
        message.starts_with(
            "the annotations: they have more names than are compared with the operator's patterns"
        ),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
    let exact = |count: usize| -> Vec<String> {
        (0..count).map(|n| format!("NAME_{n}")).chain(["A*".to_owned()]).collect()
    };
    asked(20, &starred(80)).patch();
    asked(200, &exact(200)).patch();
}

#[test]
fn what_is_under_a_name_of_ours_is_read_only_as_large_as_ours_can_be() {
    let first = injected(&pod(&[FILE]));
    let mut large = first.clone();
    large["spec"]["initContainers"][0]["x"] = json!(vec![json!({}); 5000]);
    assert!(denied(&large).contains("carries no plan that can be read"));
    let mut large = first;
    let volumes = large["spec"]["volumes"].as_array_mut().unwrap();
    volumes[0]["x"] = json!(vec![json!({}); 5000]);
    assert!(denied(&large).contains("this volume is larger than any of ours"));
    let mut affine = pod(&[("env", "A: x"), ("env-method", "file-key-ref")]);
    affine["spec"]["affinity"] = json!({"podAffinity": vec![json!({}); 5000]});
    let settings = settings_with(&["oldestKubelet=1.35"]);
    let answer = ask_with(&review(&affine), &settings);
    assert!(answer.message().contains("its affinity is too large"), "{}", answer.message());
}

#[test]
fn references_to_variables_are_counted_in_all_containers_that_get_some() {
    let wordy = |count: usize| {
        let mut pod = pod(&[("env", "A: x")]);
        pod["spec"]["containers"] = json!(containers(2));
        let [first, second] = pod["spec"]["containers"].as_array_mut().unwrap().as_mut_slice()
        else {
            panic!("two containers")
        };
        first["args"] = json!([format!("$(B){}", "$$(B)".repeat(5000))]);
        first["env"] = json!([{"name": "C", "value": "$(B)".repeat(1000)}]);
        second["volumeMounts"] = json!([{
            "name": "x", "mountPath": "/x", "subPathExpr": "$(B)".repeat(count - 1001)
        }]);
        pod
    };
    injected(&wordy(2048));
    let message = denied(&wordy(2049));
    assert_eq!(
        message,
        "the Pod: its containers with variables refer to more than 2048 variables, $(NAME), in commands, args, values and subPathExpr together; make several Pods of it"
    );
}

/// A Pod that comes again has its plan in it, as JSON in JSON.
#[test]
fn what_would_be_too_much_with_the_plan_is_denied_at_once() {
    let files: String = (0..256).map(|n| format!("f{n}: kms://shop/db-{n}\n")).collect();
    let with_quotes = |quotes: usize| {
        let mut pod = pod(&[("secrets", &files)]);
        pod["spec"]["containers"][0]["args"] = json!(["\"".repeat(quotes)]);
        pod
    };
    let after = injected(&with_quotes(20_000));
    assert_eq!(ask(&after).outcome, Outcome::Unchanged);
    let message = denied(&with_quotes(31_000));
    assert!(
        message.contains("its JSON and what is added to it have more than 28672 backslashes"),
        "{message}"
    );
}

/// What a template has is escaped twice in the plan, and by the API server in its own way.
#[test]
fn what_is_injected_with_a_text_full_of_signs_is_not_too_much_when_it_comes_again() {
    let ask = |pod: &Value| {
        let written = review(pod).to_string().replace('<', "\\u003c");
        admit(written.as_bytes(), &settings()).outcome
    };
    let mut injected_at = Vec::new();
    for (sign, counts) in [("\"", [6_000, 8_000]), ("\\", [4_000, 6_000]), ("<", [5_000, 12_000])] {
        for count in counts {
            let text = format!("{{{{ secret(\"kms://x\") }}}}{}", sign.repeat(count));
            let pod = pod(&[("template.f", &text)]);
            if ask(&pod) == Outcome::Injected {
                assert_eq!(ask(&injected(&pod)), Outcome::Unchanged, "{sign:?} {count}");
                injected_at.push(count);
            }
        }
    }
    assert_eq!(injected_at, [6_000, 4_000, 5_000]);
}

/// What is written for each consumer beside the plan counts as well, and a container of ours that somebody
/// brings along stands for nothing that is there already.
#[test]
fn what_is_accepted_near_the_bound_of_backslashes_is_accepted_when_it_comes_again() {
    let brought = json!([{"name": "kms-secrets-init", "image": "x", "env": [
        {"name": "SECRETS_INJECTOR_PLAN", "value": "{\"version\":0}"}
    ]}]);
    let files: String = (0..200).map(|n| format!("f{n}: kms://shop/db-{n}\n")).collect();
    for (init, files) in [(json!([]), "db: kms://shop/db"), (brought, files.as_str())] {
        let mut accepted = 0;
        for quotes in (16_000..29_000).step_by(500) {
            let mut pod = pod(&[("secrets", files)]);
            pod["spec"]["initContainers"] = init.clone();
            pod["spec"]["containers"] = json!(containers(200));
            pod["spec"]["containers"][0]["args"] = json!(["\"".repeat(quotes)]);
            let answer = ask(&pod);
            if answer.outcome == Outcome::Injected {
                accepted += 1;
                assert_eq!(ask(&injected(&pod)).outcome, Outcome::Unchanged, "{quotes}");
            }
        }
        assert!((1..26).contains(&accepted), "{accepted}");
    }
}
