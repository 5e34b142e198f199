//! The lists of the operator's settings.

use super::axis::Axis;
use super::lists::variables;
use super::operator::set;

pub(super) fn axes() -> Vec<Axis> {
    vec![
        Axis {
            name: "rules of the policy",
            most: 500,
            fill: |pod, _| pod.annotate("secrets", files(256)),
            settings: |n| {
                let rule = |n| {
                    format!(
                        "{{name: r{n}, namespaces: [shop], roles: ['acs:ram::*'], secrets: ['shop/*-{n}-x']}},"
                    )
                };
                let rules = (0..n.max(1)).map(rule).collect::<String>();
                set("policy", &format!("[{rules}]"))
            },
        },
        Axis {
            name: "rules with annotations for namespaces whose names are nearly this one",
            most: 700,
            fill: |pod, _| pod.annotate("secrets", files(1)),
            settings: |n| {
                let rule = |n| {
                    format!(
                        "{{name: r{n}, namespaces: ['s*o{n}*p'], annotations: {{kms.alibabacloud/timeout: 5m}}}},"
                    )
                };
                let rules = (0..n.max(1)).map(rule).collect::<String>();
                set("rules", &format!("[{rules}]"))
            },
        },
        Axis {
            name: "annotations of a rule",
            most: 128,
            fill: |pod, _| pod.annotate("secrets", files(1)),
            settings: |n| {
                let template = |n| {
                    format!(
                        "kms.alibabacloud/template.f{n}: '{{{{ secret(\"kms://shop/db-{n}\") }}}}',"
                    )
                };
                let templates = (0..n.max(1)).map(template).collect::<String>();
                let rule = format!("{{name: r, namespaces: ['*'], annotations: {{{templates}}}}}");
                set("rules", &format!("[{rule}]"))
            },
        },
        Axis {
            name: "allowed variables",
            most: 2048,
            fill: |pod, _| pod.annotate("env", variables(256)),
            settings: |n| {
                let names = (0..n).map(|n| format!("PATH_{n},")).collect::<String>();
                set("allowedVariables", &names)
            },
        },
        Axis {
            name: "allowed endpoints",
            most: 2048,
            fill: |pod, _| {
                pod.annotate("secrets", files(256));
                pod.annotate("kms-endpoint", "kms.cn-beijing.aliyuncs.com");
            },
            settings: |n| {
                let names = (0..n).map(|n| format!("h{n}.example,")).collect::<String>();
                set("allowedEndpoints", &names)
            },
        },
        Axis {
            name: "regions",
            most: 2048,
            fill: |pod, _| {
                pod.annotate("secrets", files(256));
                pod.annotate("region", "cn-mars-1");
            },
            settings: |n| {
                let names = (0..n).map(|n| format!("cn-moon-{n},")).collect::<String>();
                set("regions", &names)
            },
        },
        Axis {
            name: "mesh proxies",
            most: 2048,
            fill: |pod, _| {
                let proxy = |n| super::pod::container(&format!("app-{n}"));
                pod.containers = (0..128).map(proxy).collect();
            },
            settings: |n| {
                let names = (0..n).map(|n| format!("mesh-{n},")).collect::<String>();
                set("meshProxies", &names)
            },
        },
    ]
}

fn files(count: usize) -> String {
    (0..count).map(|n| format!("f{n}: kms://shop/db-{n}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::operator::ordinary;
    use super::*;

    #[test]
    fn every_list_of_the_settings_is_accepted_as_long_as_it_is_measured() {
        for axis in axes() {
            assert_ne!((axis.settings)(axis.most), ordinary(0), "{}", axis.name);
        }
    }
}
