//! While containers run that have values of secrets in files, in their environment and from the
//! agent, no disk of the node has one: not the container runtime's state, nor a container's own
//! layer, nor a log, nor etcd.

use serde_json::json;

use super::secrets_stay_current::{kept, shows};
use super::the_agent_answers::{ASK, served};
use crate::cloud;
use crate::pods::{annotated, app, plain, sum, with};
use crate::search::{holders, only_memory_is_left_out};
use crate::stage::{Namespace, cluster};

/// The values of a secret, of which no other story has one, before and after it is rotated.
struct Values {
    secret: String,
    unique: String,
}

impl Values {
    fn new(story: &str) -> Self {
        let unique = format!("lab-canary-{:08x}-{story}", fastrand::u32(..));
        Self { secret: cloud::secret("in-memory", &format!("{unique}-1")), unique }
    }

    fn first(&self) -> String {
        format!("{}-1", self.unique)
    }

    fn rotate(&self) -> String {
        let second = format!("{}-2", self.unique);
        cloud::rotate(&self.secret, &second);
        second
    }

    #[track_caller]
    fn are_on_no_disk(&self) {
        let found = holders(&self.unique);
        assert!(found.is_empty(), "a value is in\n{}", found.join("\n"));
    }
}

#[test]
fn of_containers_that_run() {
    let place = Namespace::opted_in("in-memory");
    let [files, env, agent] = ["files", "env", "agent"].map(Values::new);
    let template = format!("login={{{{ secret(\"kms://{}\") }}}}", files.secret);
    let pod = kept(app("files", "exec sleep 1000"), &files.secret, &files.secret);
    let pod = annotated(pod, &[("template.login", &template)]);
    place.create(&with(pod, "/spec/restartPolicy", json!("Always")));

    // Where variables of the Pod itself are, is looked as well.
    let mark = format!("marked-{:08x}", fastrand::u32(..));
    let variable = format!("PASSWORD: kms://{}\n", env.secret);
    let pod = kept(app("env", "exec sleep 1000"), &env.secret, &env.secret);
    let pod = annotated(pod, &[("env", &variable)]);
    let pod = with(pod, "/spec/containers/0/env", json!([{ "name": "MARK", "value": mark }]));
    place.create(&with(pod, "/spec/restartPolicy", json!("Always")));

    let listed = format!("password: kms://{}", agent.secret);
    let more = [("secrets", listed.as_str()), ("refresh-interval", "10s")];
    let pod = served(plain("agent", "exec sleep 1000"), &more);
    place.create(&with(pod, "/spec/restartPolicy", json!("Always")));

    for pod in ["files", "env", "agent"] {
        place.ready(pod);
    }
    let says = |pod: &str, script: &str| {
        place.exec(pod, "app", &["/bin/sh", "-c", script]).stdout.trim().to_owned()
    };
    let asks = format!("{ASK}ask {}", agent.secret);
    let environment = "tr '\\0' '\\n' < /proc/1/environ | sed -n 's/^PASSWORD=//p' | tr -d '\\n' \
                       | sha256sum | cut -d ' ' -f 1";
    assert_eq!(says("env", environment), sum(env.first()));
    assert_eq!(says("agent", &asks), sum(agent.first()));
    shows(&place, "files", "login", &format!("login={}", files.first()));
    for (pod, values) in [("files", &files), ("env", &env), ("agent", &agent)] {
        shows(&place, pod, "password", &values.rotate());
    }
    assert_eq!(says("env", environment), sum(env.first()));

    for values in [&files, &env, &agent] {
        values.are_on_no_disk();
    }
    only_memory_is_left_out();
    let found = holders(&mark);
    for directory in ["etcd", "containerd"] {
        let beginning = format!("{}/", cluster().layout().root().join(directory).display());
        assert!(found.iter().any(|file| file.starts_with(&beginning)), "{directory}: {found:?}");
    }
    for pod in ["files", "env", "agent"] {
        place.ready(pod);
    }
}
