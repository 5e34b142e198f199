//! What is said, and with which exit code, before anything runs.

use std::time::SystemTime;

use crate::harness::PATIENCE;
use crate::process::command;

async fn run(args: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = command();
    command.args(args).envs(environment.iter().copied());
    let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Arguments that bind a taken port: an error that is not about it came before the sockets.
async fn serve(more: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    let admin = listen.replace("--listen", "--admin");
    let mut args = vec!["serve", "--standalone", &listen, &admin];
    args.extend(more);
    let (code, _, error) = run(&args, environment).await;
    (code, error)
}

#[tokio::test]
async fn a_bad_setting_ends_it_with_64_before_any_socket() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.yaml");
    std::fs::write(&file, "region: NOWHERE").unwrap();
    let file = file.to_str().unwrap();
    for (args, environment, expected) in [
        (vec!["--setting=region=NO"], vec![], "setting region: \"NO\" is not allowed"),
        (vec!["--setting=region=cn-hangzou"], vec![], "did you mean cn-hangzhou?"),
        (vec!["--setting=regoin=x"], vec![], "did you mean region?"),
        (vec!["--settings", file], vec![], "setting region: \"NOWHERE\" is not allowed"),
        (vec!["--settings", "/none"], vec![], "reading settings file /none"),
        (vec![], vec![("SECRETS_WEBHOOK_SETTING_UID", "x")], "setting uid: \"x\""),
        (
            vec![],
            vec![("SECRETS_WEBHOOK_SETTING_RGION", "x")],
            "did you mean SECRETS_WEBHOOK_SETTING_REGION?",
        ),
    ] {
        let (code, error) = serve(&args, &environment).await;
        assert_eq!(code, Some(64), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[tokio::test]
async fn a_flag_wins_over_a_variable() {
    let bad = [("SECRETS_WEBHOOK_SETTING_REGION", "NOWHERE")];
    let (code, error) = serve(&["--setting=region=cn-hangzhou"], &bad).await;
    // Settings were fine, so the taken port is met.
    assert_eq!(code, Some(70), "{error}");
    assert!(error.contains("binding --listen"), "{error}");
}

#[tokio::test]
async fn certificate_files_that_do_not_fit_end_it_with_64() {
    let directory = tempfile::tempdir().unwrap();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let issue = || certs::issue(&["localhost".to_owned()], SystemTime::now(), day).unwrap();
    let (one, other) = (issue(), issue());
    let write = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cert = write("cert", &one.cert_pem);
    let key = write("key", one.key.pem());
    let another_key = write("another-key", other.key.pem());
    let garbage = write("garbage", "canary");
    let pem =
        |der: &str| format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    let broken = write("broken", &pem("Y2FuYXJ5"));
    for (cert, key, expected) in [
        (&cert, &another_key, "does not belong to the certificate"),
        (&garbage, &key, "no certificate in PEM format"),
        (&cert, &garbage, "no private key in PEM format"),
        (&"/none".to_owned(), &key, "reading /none"),
    ] {
        let (code, error) = serve(&["--tls-cert", cert, "--tls-key", key], &[]).await;
        assert_eq!(code, Some(64), "{error}");
        assert!(error.contains(expected) && !error.contains("canary"), "{error}");
    }
    for (file, expected) in [
        (&garbage, "no certificate in PEM format"),
        (&key, "no certificate in PEM format"),
        (&broken, "cannot be read"),
        (&"/none".to_owned(), "reading /none"),
    ] {
        let (code, error) = serve(&["--client-ca", file], &[]).await;
        assert_eq!(code, Some(64), "{error}");
        assert!(error.contains(expected) && !error.contains("canary"), "{error}");
    }
    let (code, error) = serve(&["--client-name=kube-apiserver"], &[]).await;
    assert_eq!(code, Some(64), "{error}");
    assert!(error.contains("--client-ca"), "{error}");
    let (code, error) = serve(&["--tls-cert", &cert], &[]).await;
    assert_eq!(code, Some(64), "{error}");
    assert!(error.contains("--tls-key"), "{error}");
}

#[tokio::test]
async fn flags_for_a_cluster_that_make_no_sense_together_end_it_with_64_and_a_sentence() {
    let configuration = "--webhook-configuration=injector";
    let kept = ["--certificate-secret=injector-certificate", "--service=injector"];
    for (args, expected) in [
        (vec![], "serve needs --webhook-configuration NAME"),
        (vec![], "without a Kubernetes API it needs --standalone"),
        (vec![configuration], "serve needs a certificate: --certificate-secret NAME, or"),
        (vec![configuration, kept[1]], "serve needs a certificate: --certificate-secret NAME, or"),
        (vec![configuration, kept[0]], "serve needs --service NAME"),
        (vec![configuration, "--tls-cert=a", "--tls-key=b"], "serve needs --service NAME"),
        (
            vec![configuration, kept[0], kept[1], "--tls-cert=a", "--tls-key=b"],
            "--certificate-secret and --tls-cert exclude each other",
        ),
        (vec![configuration, kept[0], kept[1], "--tls-name=a"], "belong to --standalone"),
        (vec![configuration, kept[0], kept[1], "--write-ca=a"], "belong to --standalone"),
        (
            vec!["--webhook-configuration=a/b", kept[0], kept[1]],
            "--webhook-configuration \"a/b\": the name",
        ),
        (
            vec![configuration, "--certificate-secret=..", kept[1]],
            "--certificate-secret \"..\": the name",
        ),
        (vec![configuration, kept[0], "--service="], "--service \"\": the name"),
        (vec!["--standalone", configuration], "cannot be used with"),
        (vec!["--standalone", "--kubeconfig=x"], "cannot be used with"),
        (vec!["--standalone", "--webhook-name=x"], "cannot be used with"),
    ] {
        let args: Vec<_> = ["serve"].into_iter().chain(args).collect();
        let (code, _, error) = run(&args, &[]).await;
        assert_eq!(code, Some(64), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[tokio::test]
async fn an_api_server_that_nothing_leads_to_ends_it_with_64_before_any_socket() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        format!("--kubeconfig={}", path.display())
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    let base = [
        "serve",
        "--webhook-configuration=injector",
        "--certificate-secret=injector-certificate",
        "--service=injector",
        &listen,
    ];
    let nothing = write("nothing", "");
    let garbage = write("garbage", "canary: [");
    let no_context = write("no-context", "apiVersion: v1\nkind: Config\nclusters: []\n");
    let in_pod = ("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    for (more, environment, expected) in [
        (None, vec![], "this is no Pod with a ServiceAccount"),
        (None, vec![in_pod], "give --kubeconfig FILE, or --standalone"),
        (Some("--kubeconfig=/none"), vec![], "--kubeconfig /none"),
        (Some(nothing.as_str()), vec![], "nothing"),
        (Some(garbage.as_str()), vec![], "garbage"),
        (Some(no_context.as_str()), vec![], "no-context"),
    ] {
        let args: Vec<_> = base.into_iter().chain(more).collect();
        let (code, _, error) = run(&args, &environment).await;
        assert_eq!(code, Some(64), "{more:?}: {error}");
        assert!(error.contains(expected), "{more:?}: {error}");
    }
}

#[tokio::test]
async fn usage_errors_end_with_64_and_questions_with_0() {
    assert_eq!(run(&["serve", "--colour"], &[]).await.0, Some(64));
    assert_eq!(run(&[], &[]).await.0, Some(64));
    let (code, version, _) = run(&["--version"], &[]).await;
    assert_eq!(code, Some(0));
    assert_eq!(version, format!("secrets-webhook {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run(&["serve", "--help"], &[]).await.0, Some(0));
}
