#!/usr/bin/env bash
# kube 5.0.0 (kube-client, Rust): a list is in memory twice before its first object is read, however large.
#
# Expected: a page of a list takes its bytes once while it is read, and what its objects keep; with
# `limit` that is a few hundred kilobytes. But whoever writes the objects decides how large they are: a
# ServiceAccount may have labels up to what etcd takes, and a page of a hundred of those is large.
# Behaviour: `Client::request_text` collects the body in the pieces in which it comes, joins these to one
# buffer, and copies that again (`to_vec`) to have it as a `String`: two of the three are there at any
# time. A bound has to be put around the service that the client is made of, since `ListParams` has none
# for bytes.
# Seen with a list of metadata of 8 MiB in pieces of 16 KiB, of which one object with its name is kept:
#     an answer of 8388783 bytes: at most 16.8 MB allocated at once, 2.0 times its size
# The program fails, and this script with it, once it takes less than 1.9 times the answer's size.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
allocation-counter = "=0.8.1"
bytes = "=1.12.1"
futures = "=0.3.34"
http = "=1.5.0"
http-body = "=1.1.0"
http-body-util = "=0.1.5"
k8s-openapi = { version = "=0.29.0", features = ["v1_33"] }
kube = { version = "=5.0.0", default-features = false, features = ["client"] }
tokio = { version = "=1.54.1", features = ["rt", "time"] }
tower = { version = "=0.5.3", features = ["util"] }
TOML
cat >src/main.rs <<'RUST'
use std::convert::Infallible;

use allocation_counter::measure;
use bytes::Bytes;
use futures::stream::iter;
use http_body::Frame;
use http_body_util::StreamBody;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::ListParams;
use kube::{Api, Client};

fn main() {
    // One field that no type keeps, so that what is parsed adds nothing.
    let text = format!(
        r#"{{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadataList","metadata":{{"resourceVersion":"1"}},
        "items":[{{"metadata":{{"name":"a","namespace":"b"}},"unknown":"{}"}}]}}"#,
        "x".repeat(8 * 1024 * 1024)
    );
    let size = text.len();
    // Shared by all pieces: what the client makes of them is counted, and they are not.
    let whole = Bytes::from(text);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let service = tower::service_fn(move |_| {
        let whole = whole.clone();
        async move {
            // As a network would bring them: each piece a buffer of its own.
            let pieces = (0..whole.len()).step_by(16 * 1024).map(move |from| {
                let piece = &whole[from..whole.len().min(from + 16 * 1024)];
                Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece)))
            });
            Ok::<_, Infallible>(http::Response::new(StreamBody::new(iter(pieces))))
        }
    });
    let accounts: Api<ServiceAccount> = Api::all(Client::new(service, "default"));
    let info = measure(|| {
        let list = runtime.block_on(accounts.list_metadata(&ListParams::default())).unwrap();
        assert_eq!(list.items.len(), 1);
    });
    let times = info.bytes_max as f64 / size as f64;
    let megabytes = info.bytes_max as f64 / 1e6;
    println!("an answer of {size} bytes: at most {megabytes:.1} MB allocated at once, {times:.1} times its size");
    assert!(times > 1.9, "it is held less often");
}
RUST
cargo run --quiet
