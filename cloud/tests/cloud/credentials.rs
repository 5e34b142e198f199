//! The identity of a session: exchanges are shared, renewed once, and never mixed up.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloud::{AssumedRole, Lookup, Transport};
use secret::{Failure, Sensitive};

use crate::authority::Authority;
use crate::server::{
    Bench, KMS, Reply, STS, Seen, Server, TOKEN, config, credentials, quick, refusal, secret,
    session, session_with, soon, value,
};

/// STS that numbers its credentials, and a service that refuses those that `refuses` names.
fn numbered(
    refuses: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let issued = AtomicUsize::new(0);
    move |seen| match seen.action() {
        "AssumeRoleWithOIDC" => {
            let number = 1 + issued.fetch_add(1, Ordering::SeqCst);
            credentials(&format!("STS.{number}"), "acs:ram::1:role/app/pod")
        }
        _ => refuses(seen.key_id()).unwrap_or_else(|| value("x")),
    }
}

async fn eight_at_once(bench: &Bench) -> Vec<Result<secret::Fetched, cloud::Error>> {
    let names: Vec<Lookup> = (0..8).map(|index| secret(&format!("s{index}"))).collect();
    let [a, b, c, d, e, f, g, h] = names.as_slice() else { unreachable!() };
    let (a, b, c, d, e, f, g, h) = tokio::join!(
        bench.fetch(a),
        bench.fetch(b),
        bench.fetch(c),
        bench.fetch(d),
        bench.fetch(e),
        bench.fetch(f),
        bench.fetch(g),
        bench.fetch(h)
    );
    vec![a, b, c, d, e, f, g, h]
}

#[tokio::test]
async fn refused_credentials_are_exchanged_once_and_the_call_made_once_more() {
    let forms: [fn() -> Reply; 4] = [
        || refusal(403, "InvalidSecurityToken.Expired"),
        || refusal(404, "InvalidAccessKeyId.NotFound"),
        || refusal(400, "MissingSecurityToken"),
        || Reply::Json(400, String::from(EXPIRED_PARAMETER)),
    ];
    for form in forms {
        let bench = Bench::new(numbered(move |id| (id == "STS.1").then(form))).await;
        for fetched in eight_at_once(&bench).await {
            assert_eq!(fetched.unwrap().attempts, 2);
        }
        assert_eq!(bench.server.count("AssumeRoleWithOIDC"), 2);
        assert_eq!(bench.server.count("GetSecretValue"), 16);
        assert_eq!(bench.session.exchanges(), 2);
    }
}

/// Seen in the field: only the message says what is wrong.
const EXPIRED_PARAMETER: &str = r#"{"Code":"InvalidParameter","Message":"The specified parameter \"SecurityToken.Expired\" is not valid."}"#;

#[tokio::test]
async fn credentials_that_stay_refused_end_the_fetch() {
    let bench = Bench::new(numbered(|_| Some(refusal(403, "InvalidSecurityToken.Expired")))).await;
    let error = bench.refused().await;
    assert_eq!((error.failure(), error.attempts()), (Failure::Identity, 2));
    assert_eq!(bench.server.count("AssumeRoleWithOIDC"), 2);
    assert_eq!(bench.server.count("GetSecretValue"), 2);
}

#[tokio::test]
async fn a_refused_exchange_is_told_to_all_who_waited_for_it() {
    let bench = Bench::new(|_| refusal(401, "AuthenticationFail.NoPermission")).await;
    for fetched in eight_at_once(&bench).await {
        let error = fetched.unwrap_err();
        assert_eq!(error.failure(), Failure::Identity);
        assert_eq!(error.operation(), "STS AssumeRoleWithOIDC");
        assert_eq!(error.host(), STS);
    }
    assert_eq!(bench.server.seen().len(), 1);
}

#[tokio::test]
async fn a_missing_role_is_about_the_identity() {
    let bench = Bench::new(|_| refusal(404, "EntityNotExist.Role")).await;
    assert_eq!(bench.refused().await.failure(), Failure::Identity);
}

#[tokio::test]
async fn the_token_is_read_again_at_each_exchange() {
    let authority = Authority::root("public");
    let leaf = authority.leaf(&["*.cn-hangzhou.aliyuncs.com"]);
    let refuse_first = |id: &str| (id == "STS.1").then(|| refusal(403, "InvalidSecurityToken.x"));
    let server = Server::start(leaf, numbered(refuse_first)).await;
    let transport = Transport::new(config(&authority, server.address)).unwrap();
    let reads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reads);
    let token = move || {
        let number = 1 + counter.fetch_add(1, Ordering::SeqCst);
        Ok(Sensitive::from(format!("{TOKEN}{number}\n")))
    };
    let session = session_with(transport, token, quick());
    session.fetch(&secret("db"), soon()).await.unwrap();

    assert_eq!(reads.load(Ordering::SeqCst), 2);
    let bodies: Vec<String> =
        server.seen().into_iter().filter(|seen| seen.host() == STS).map(|seen| seen.body).collect();
    assert!(bodies[0].contains(&format!("OIDCToken={TOKEN}1&")), "{}", bodies[0]);
    assert!(bodies[1].contains(&format!("OIDCToken={TOKEN}2&")), "{}", bodies[1]);
}

#[tokio::test]
async fn a_token_that_is_none_is_never_sent() {
    type Read = fn() -> io::Result<Sensitive>;
    let tokens: [(Read, &str); 4] = [
        (|| Err(io::ErrorKind::NotFound.into()), "could not be read: entity not found"),
        (|| Ok(Sensitive::from(String::from(" \n"))), "is empty"),
        (|| Ok(Sensitive::from(String::from("canary&RoleArn=other"))), "is not a token: 20 bytes"),
        (|| Ok(Sensitive::from("c".repeat(20_001))), "is not a token: 20001 bytes"),
    ];
    for (token, words) in tokens {
        let authority = Authority::root("public");
        let leaf = authority.leaf(&["*.cn-hangzhou.aliyuncs.com"]);
        let server = Server::start(leaf, |_| value("x")).await;
        let transport = Transport::new(config(&authority, server.address)).unwrap();
        let session = session_with(transport, token, quick());
        let error = session.fetch(&secret("db"), soon()).await.unwrap_err();
        assert_eq!((error.failure(), error.attempts()), (Failure::Identity, 0));
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("canary"));
        assert_eq!(server.accepted(), 0);
    }
}

/// Four objects, four endpoints, two accounts: each goes to its own host with its own credentials.
#[tokio::test]
async fn lookups_of_one_session_never_share_endpoint_or_account() {
    let authority = Authority::root("public");
    let private = Authority::root("private root").intermediate("private");
    let handler = |seen: &Seen| match seen.action() {
        "AssumeRoleWithOIDC" => credentials("STS.base", "acs:ram::1:role/app/pod"),
        "AssumeRole" => credentials("STS.other", "acs:ram::2:role/other/pod"),
        _ => value(&format!("{} {}", seen.host(), seen.key_id())),
    };
    let names = ["*.cn-hangzhou.aliyuncs.com", "*.cn-beijing.aliyuncs.com"];
    let public = Server::start(authority.leaf(&names), handler).await;
    let names = ["*.cryptoservice.kms.aliyuncs.com"];
    let dedicated = Server::start(private.leaf(&names), handler).await;
    let mut config = config(&authority, public.address);
    config.private_ca = Some(private.pem.clone().into_bytes());
    let pattern = String::from("*.cryptoservice.kms.aliyuncs.com");
    config.connect_to.insert(0, (pattern, dedicated.address));
    let session = session(Transport::new(config).unwrap(), quick());

    let other = AssumedRole {
        role_arn: String::from("acs:ram::2:role/other"),
        external_id: Some(String::from("e:1/2")),
    };
    let lookups = [
        (KMS, None),
        ("kst-1.cryptoservice.kms.aliyuncs.com", Some(other.clone())),
        ("kms.cn-beijing.aliyuncs.com", Some(other)),
        ("kst-2.cryptoservice.kms.aliyuncs.com", None),
    ]
    .map(|(host, assume)| Lookup { endpoint: host.to_owned(), assume, ..secret("same-name") });
    let [a, b, c, d] = &lookups;
    let fetched = tokio::join!(
        session.fetch(a, soon()),
        session.fetch(b, soon()),
        session.fetch(c, soon()),
        session.fetch(d, soon()),
    );
    let (base, other) =
        (("STS.base", "acs:ram::1:role/app/pod"), ("STS.other", "acs:ram::2:role/other/pod"));
    for (lookup, fetched, (key_id, caller)) in
        [(a, fetched.0, base), (b, fetched.1, other), (c, fetched.2, other), (d, fetched.3, base)]
    {
        let fetched = fetched.unwrap();
        assert_eq!(fetched.value.expose(), format!("{} {key_id}", lookup.endpoint).as_bytes());
        assert_eq!(fetched.caller, caller);
    }
    assert_eq!(session.exchanges(), 2);

    let seen = public.seen();
    let assume = seen.iter().find(|seen| seen.action() == "AssumeRole").unwrap();
    assert_eq!((assume.host(), assume.key_id()), (STS, "STS.base"));
    let query = "DurationSeconds=3600&ExternalId=e%3A1%2F2&RoleArn=acs%3Aram%3A%3A2%3Arole%2Fother&RoleSessionName=pod";
    assert_eq!(assume.line, format!("POST /?{query} HTTP/1.1"));
}

#[tokio::test]
async fn a_chain_renews_the_credentials_beneath_it() {
    let issued = AtomicUsize::new(0);
    let bench = Bench::new(move |seen| match (seen.action(), seen.key_id()) {
        ("AssumeRoleWithOIDC", _) => {
            let number = 1 + issued.fetch_add(1, Ordering::SeqCst);
            credentials(&format!("STS.{number}"), "acs:ram::1:role/app/pod")
        }
        ("AssumeRole", "STS.1") => refusal(403, "InvalidSecurityToken.Expired"),
        ("AssumeRole", _) => credentials("STS.other", "acs:ram::2:role/other/pod"),
        _ => value("x"),
    })
    .await;
    let role = AssumedRole { role_arn: String::from("acs:ram::2:role/other"), external_id: None };
    let lookup = Lookup { assume: Some(role), ..secret("db") };
    assert_eq!(bench.fetch(&lookup).await.unwrap().caller, "acs:ram::2:role/other/pod");
    assert_eq!(bench.server.count("AssumeRoleWithOIDC"), 2);
    assert_eq!(bench.server.count("AssumeRole"), 2);
}

#[tokio::test]
async fn a_refused_chain_names_the_other_role() {
    let bench = Bench::new(|seen| match seen.action() {
        "AssumeRoleWithOIDC" => credentials("STS.base", "acs:ram::1:role/app/pod"),
        _ => refusal(403, "NoPermission"),
    })
    .await;
    let role = AssumedRole { role_arn: String::from("acs:ram::2:role/other"), external_id: None };
    let error = bench.fetch(&Lookup { assume: Some(role), ..secret("db") }).await.unwrap_err();
    assert_eq!((error.failure(), error.operation()), (Failure::Identity, "STS AssumeRole"));
    assert_eq!(error.subject(), "acs:ram::2:role/other");
}

#[tokio::test]
async fn who_we_are_is_known_without_a_fetch() {
    let bench = Bench::new(numbered(|_| None)).await;
    assert_eq!(bench.session.caller(soon()).await.unwrap(), "acs:ram::1:role/app/pod");
    assert_eq!(bench.session.exchanges(), 1);
}
