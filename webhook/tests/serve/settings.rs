//! A settings file that changes under a running server, the way a mounted ConfigMap does.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use webhook::metrics::Metrics;
use webhook::serve::reload;
use webhook::settings::{Inputs, Settings};

use crate::harness::{count, until};

/// As the kubelet does: a new directory, and a link renamed onto the old link.
fn publish(mount: &Path, generation: &str, content: &str) {
    let directory = mount.join(format!("..{generation}"));
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("settings.yaml"), content).unwrap();
    symlink(format!("..{generation}"), mount.join("..data_tmp")).unwrap();
    std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
}

#[tokio::test]
async fn a_changed_file_is_taken_up_and_a_bad_one_is_not() {
    let mount = tempfile::tempdir().unwrap();
    publish(mount.path(), "1", "region: cn-hangzhou");
    let file = mount.path().join("settings.yaml");
    symlink("..data/settings.yaml", &file).unwrap();
    let flags = ["network=public".to_owned()];
    let inputs = Inputs::new(Some(file), &flags, []).unwrap();
    let settings = Arc::new(ArcSwap::from_pointee(inputs.load().unwrap()));
    let metrics = Arc::new(Metrics::new());
    let task = tokio::spawn(reload::settings(
        inputs,
        Arc::clone(&settings),
        Arc::clone(&metrics),
        Duration::from_millis(5),
    ));
    let is = |region: &str| settings.load().region().is_some_and(|known| known.as_str() == region);
    let metric = |name: &str| count(&metrics.text().unwrap(), name);

    publish(mount.path(), "2", "region: cn-beijing");
    until("the new region", async || is("cn-beijing")).await;
    assert_eq!(settings.load().network(), plan::Network::Public);

    publish(mount.path(), "3", "region: cn-hangzou");
    until("a failure", async || metric("secrets_webhook_settings_stale") == 1).await;
    assert_eq!(metric("secrets_webhook_settings_reload_failures_total"), 1);
    assert!(is("cn-beijing"));

    std::fs::remove_file(mount.path().join("..data")).unwrap();
    let failures = "secrets_webhook_settings_reload_failures_total";
    until("another failure", async || metric(failures) == 2).await;
    assert!(is("cn-beijing"));

    let rule = "{name: a, namespaces: [x], annotations: {kms.alibabacloud/mdoe: init}}";
    publish(mount.path(), "bad-rule", &format!("region: cn-shanghai\nrules: [{rule}]"));
    until("a third failure", async || metric(failures) == 3).await;
    assert!(is("cn-beijing"));

    publish(mount.path(), "4", "region: cn-shanghai");
    until("the last region", async || is("cn-shanghai")).await;
    until("good news", async || metric("secrets_webhook_settings_stale") == 0).await;
    assert_eq!(metric(failures), 3);
    task.abort();
}

#[tokio::test]
async fn without_a_file_there_is_nothing_to_watch() {
    let settings = Arc::new(ArcSwap::from_pointee(Settings::default()));
    let inputs = Inputs::new(None, &[], []).unwrap();
    reload::settings(inputs, settings, Arc::default(), Duration::from_millis(5)).await;
}
