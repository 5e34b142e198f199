//! Files made from templates, as an application sees them: whole, exact, and kept current.

use lab::cluster::{Look, until};
use serde_json::json;

use crate::cloud;
use crate::pods::{annotated, app, plain, sum, with};
use crate::stage::{Namespace, PATIENCE};

const FIRST: &str = "lab-canary-Tn4mPw7c's \"first\" $HOME";
const SECOND: &str = "lab-canary-Hq9xLd2r's second";

/// For a shell, as `quote_shell` and `shell` write it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[test]
fn a_shell_reads_what_a_template_made_of_two_secrets() {
    let place = Namespace::opted_in("templates");
    let (user, password) = (cloud::secret("templates", "app"), cloud::secret("templates", FIRST));
    let script = "set -a; . /mnt/secrets-store/app.env; \
                  test \"$USER_NAME\" = app && printf '%s' \"$PASSWORD\" | sha256sum";
    let text = format!(
        "{{{{ {{\"USER_NAME\": secret(\"kms://{user}\"), \"PASSWORD\": secret(\"kms://{password}\")}} | shell }}}}"
    );
    let pod = annotated(plain("shell", script), &[("template.app.env", text.as_str())]);
    place.create(&pod);
    place.succeeded("shell");
    let log = place.logs("shell", "app");
    assert!(log.starts_with(&sum(FIRST)), "{log}");
    let log = place.logs("shell", "kms-secrets-init");
    assert!(!log.contains("lab-canary"), "{log}");
    // Neither source is a file of its own.
    let spec = place.get("pod/shell");
    let status = spec["metadata"]["annotations"]["kms.alibabacloud/status"].as_str().unwrap();
    assert!(status.contains("\"files\":1"), "{status}");
    assert!(!spec.to_string().contains("lab-canary"));
}

#[test]
fn a_rotated_source_renders_the_file_again_for_the_application_that_runs() {
    let place = Namespace::opted_in("rendered");
    let (user, password) = (cloud::secret("rendered", "app"), cloud::secret("rendered", FIRST));
    let secrets = format!(
        "login:\n  template: |\n    user={{{{ secret(\"kms://{user}\") }}}}\n    password={{{{ secret(\"kms://{password}\") | quote_shell }}}}\n"
    );
    let more = [("secrets", secrets.as_str()), ("mode", "refresh"), ("refresh-interval", "10s")];
    let pod = annotated(app("reader", "exec sleep 1000"), &more);
    place.create(&with(pod, "/spec/restartPolicy", json!("Always")));
    place.ready("reader");
    let shows = |password: &str| {
        let expected = sum(format!("user=app\npassword={}\n", quoted(password)));
        until("the application to see the login", PATIENCE, || {
            let said = place.exec("reader", "app", &["sha256sum", "/mnt/secrets-store/login"]);
            let is = said.stdout.starts_with(&expected);
            Ok(if is { Look::Found(()) } else { Look::Missing(said.stdout) })
        })
        .unwrap();
    };
    shows(FIRST);
    cloud::rotate(&password, SECOND);
    shows(SECOND);
}

#[test]
fn a_template_that_loops_is_refused_with_its_line() {
    let place = Namespace::opted_in("loops");
    let text = "\n{% for key in [1] %}{{ secret(\"a\") }}{% endfor %}";
    let pod = annotated(plain("loops", "true"), &[("template.x", text)]);
    let refused = place.refused(&pod);
    assert!(
        refused.contains("kms.alibabacloud/template.x, line 2")
            && refused.contains("no statement for"),
        "{refused}"
    );
}
