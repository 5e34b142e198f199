//! Questions at which other injectors failed, asked of the real process.

use std::time::Duration;

use lab::fetcher::NAMESPACE;
use lab::http::PATIENCE;
use lab::review;
use lab::stage::pod;
use lab::webhook_process::WebhookProcess;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

fn plain() -> Value {
    pod(&[("secrets", "password: kms://shop/db#password\n")])
}

fn body() -> Vec<u8> {
    review::of_pod(&plain(), NAMESPACE).to_string().into_bytes()
}

fn head(length: usize) -> Vec<u8> {
    format!(
        "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
    .into_bytes()
}

async fn webhook() -> WebhookProcess {
    WebhookProcess::start(&[]).await.unwrap()
}

/// All that comes until the server closes, or resets what it did not want to read.
async fn read_all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_review_gets_an_answer_and_harms_nobody() {
    let webhook = webhook().await;
    let mut other_kind: Value = serde_json::from_slice(&body()).unwrap();
    other_kind["kind"] = json!("ConversionReview");
    let mut no_request: Value = serde_json::from_slice(&body()).unwrap();
    no_request.as_object_mut().unwrap().remove("request");
    for bad in [
        b"{}".to_vec(),
        b"".to_vec(),
        b"null".to_vec(),
        b"[{]".to_vec(),
        b"\xff\xfe".to_vec(),
        vec![b'['; 200_000],
        other_kind.to_string().into_bytes(),
        no_request.to_string().into_bytes(),
    ] {
        let answer = webhook.post(bad.clone()).await.unwrap();
        assert_eq!(answer.status, 400, "{:?}: {}", bad.get(..20), answer.text());
        assert!(!answer.body.is_empty() && answer.body.len() < 500, "{}", answer.text());
    }
    let verdict = webhook.review(&plain(), NAMESPACE).await.unwrap();
    assert!(verdict.patch.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_annotation_is_denied_with_the_right_spelling() {
    let webhook = webhook().await;
    for (wrong, right) in [
        ("secret", "kms.alibabacloud/secrets"),
        ("secrets-", "kms.alibabacloud/secrets"),
        ("mountpath", "kms.alibabacloud/mount-path"),
        ("file_mode", "kms.alibabacloud/file-mode"),
    ] {
        let mut pod = plain();
        pod["metadata"]["annotations"][format!("kms.alibabacloud/{wrong}")] = json!("x");
        let verdict = webhook.review(&pod, NAMESPACE).await.unwrap();
        assert!(!verdict.allowed, "{wrong}");
        let hint = format!("did you mean {right}?");
        let first = verdict.message().lines().next().unwrap_or_default();
        assert!(first.contains(&hint) && first.len() <= 200, "{wrong}: {}", verdict.message());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_same_bytes_each_of_thirty_times() {
    let webhook = webhook().await;
    let first = webhook.post(body()).await.unwrap();
    assert_eq!(first.status, 200);
    for _ in 0..30 {
        assert_eq!(webhook.post(body()).await.unwrap(), first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_nobody_knows_yet_survive_and_own_output_is_left_alone() {
    let webhook = webhook().await;
    let mut before = plain();
    before["spec"]["fieldOfTheFuture"] = json!({ "deep": [1, 2.50, null, "x"] });
    before["spec"]["containers"][0]["fieldOfTheFuture"] = json!(true);
    before["spec"]["volumes"] = json!([{ "name": "own", "volumeOfTheFuture": { "a": 1 } }]);
    before["metadata"]["fieldOfTheFuture"] = json!("y");
    let after = webhook.admit(&before, NAMESPACE).await.unwrap();
    for pointer in [
        "/spec/fieldOfTheFuture",
        "/spec/containers/0/fieldOfTheFuture",
        "/metadata/fieldOfTheFuture",
    ] {
        assert_eq!(after.pointer(pointer), before.pointer(pointer), "{pointer}");
    }
    let volumes = after["spec"]["volumes"].as_array().unwrap();
    assert!(volumes.contains(&before["spec"]["volumes"][0]), "{volumes:?}");
    let verdict = webhook.review(&after, NAMESPACE).await.unwrap();
    assert!(verdict.allowed && verdict.patch.is_none(), "{}", verdict.response);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_reviews_under_way_at_sigterm_are_all_answered_with_a_patch() {
    let webhook = webhook().await;
    let (body, mut under_way) = (body(), Vec::new());
    let (first, second) = body.split_at(body.len() / 2);
    for _ in 0..16 {
        let mut stream = webhook.connect().await.unwrap();
        stream.write_all(&head(body.len())).await.unwrap();
        stream.write_all(first).await.unwrap();
        stream.flush().await.unwrap();
        under_way.push(stream);
    }
    webhook.terminate().unwrap();
    let refused = async {
        while TcpStream::connect(webhook.listen()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
    for stream in &mut under_way {
        stream.write_all(second).await.unwrap();
        let answer = read_all(stream).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(review::Verdict::read(body.as_bytes()).unwrap().patch.is_some());
    }
    let stopped = webhook.stopped().await.unwrap();
    assert_eq!(stopped.code, Some(0), "{}", stopped.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_twenty_megabytes_at_once_are_refused_in_little_memory() {
    const SIZE: usize = 20 * 1024 * 1024;
    let webhook = webhook().await;
    webhook.post(body()).await.unwrap();
    let before = webhook.peak_memory().unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..8 {
        let mut stream = webhook.connect().await.unwrap();
        senders.spawn(async move {
            // Half of them say how long they are, half do not.
            let announced = number % 2 == 0;
            let chunk = vec![b' '; 1024 * 1024];
            let start = if announced {
                head(SIZE)
            } else {
                b"POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                  transfer-encoding: chunked\r\n\r\n"
                    .to_vec()
            };
            let (mut reader, mut writer) = tokio::io::split(&mut stream);
            let send = async {
                writer.write_all(&start).await?;
                for _ in 0..SIZE / chunk.len() {
                    if !announced {
                        writer.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
                    }
                    writer.write_all(&chunk).await?;
                    if !announced {
                        writer.write_all(b"\r\n").await?;
                    }
                }
                writer.flush().await
            };
            let read = async {
                let mut answer = Vec::new();
                let _ = reader.read_to_end(&mut answer).await;
                String::from_utf8_lossy(&answer).into_owned()
            };
            // The server may stop reading; what it says is what counts.
            let (_, answer) = tokio::join!(send, read);
            answer
        });
    }
    while let Some(answer) = tokio::time::timeout(PATIENCE, senders.join_next()).await.unwrap() {
        let answer = answer.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    }
    let grown = webhook.peak_memory().unwrap().saturating_sub(before);
    assert!(grown < 40 * 1024, "{grown} KiB more");
    assert!(webhook.review(&plain(), NAMESPACE).await.unwrap().patch.is_some());
}
