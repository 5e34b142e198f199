//! The emulated STS: which tokens it believes and which roles it gives to whom.

use lab::cloud::{Cloud, CloudConfig, Issuer, KeySet, TokenRequest};

use crate::support::{
    ACCOUNT, Call, Key, ROLE, STS, assumed, cloud, reader, secret, seed, with_oidc,
};

const TARGET: &str = "acs:ram::9876543210987654:role/partner";
const EXTERNAL_ID: &str = "ext=1,2.3@a:/-_";
const RSA_PEM: &str = include_str!("../fixtures/rs256.pem");

fn request() -> TokenRequest {
    TokenRequest::new("https://issuer.example/sdk", "shop", "checkout")
}

fn chain(key: &Key, external_id: &str) -> Call {
    Call::new(STS, "AssumeRole", "2015-04-01", Some(key.clone()))
        .with("RoleArn", TARGET)
        .with("RoleSessionName", "chain")
        .with("ExternalId", external_id)
}

#[tokio::test]
async fn a_good_token_becomes_a_credential() {
    let cloud = cloud().await;
    let reply = with_oidc(&cloud.mint("shop", "checkout").unwrap()).send(&cloud).await.unwrap();
    let json = reply.json();
    assert_eq!(json["AssumedRoleUser"]["Arn"], format!("{ROLE}/sess"));
    assert_eq!(json["OIDCTokenInfo"]["Subject"], "system:serviceaccount:shop:checkout");
    let key = reply.credential();
    assert!(key.id.starts_with("STS."));
    assert!(key.token.as_ref().is_some_and(|token| token.len() > 500));
    assert_eq!(secret("app/text").by(&key).send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn parameters_come_from_the_query_or_the_form() {
    let cloud = cloud().await;
    let mut call = with_oidc(&cloud.mint("shop", "checkout").unwrap());
    call.query.append(&mut call.form);
    assert_eq!(call.send(&cloud).await.unwrap().status, 200);
    let entry = cloud.requests().pop().unwrap();
    assert!(entry.query.contains(&"OIDCToken".to_owned()) && entry.form.is_empty());
    with_oidc(&cloud.mint("shop", "checkout").unwrap()).send(&cloud).await.unwrap();
    let entry = cloud.requests().pop().unwrap();
    assert!(
        entry.form.contains(&"OIDCToken".to_owned())
            && !entry.query.contains(&"OIDCToken".to_owned())
    );
}

#[tokio::test]
async fn tokens_that_are_not_to_be_believed_are_refused() {
    let cloud = cloud().await;
    let issuer = cloud.issuer();
    let minted = |request: TokenRequest| issuer.mint(&request).unwrap();
    let stranger = Issuer::generate().unwrap();
    let now = request().issued;
    for (token, problem) in [
        (stranger.mint(&request()).unwrap(), "OIDCToken.InvalidSignature"),
        (
            minted(TokenRequest { issuer: "https://issuer.example/other".to_owned(), ..request() }),
            "OIDCToken.IssuerNotMatch",
        ),
        (
            minted(TokenRequest { audiences: vec!["kubernetes".to_owned()], ..request() }),
            "OIDCToken.AudienceNotMatch",
        ),
        (minted(TokenRequest { lifetime_seconds: 0, ..request() }), "OIDCToken.Expired"),
        (
            minted(TokenRequest { issued: now + time::Duration::hours(1), ..request() }),
            "OIDCToken.Invalid",
        ),
        (minted(TokenRequest { namespace: "billing".to_owned(), ..request() }), "NoPermission"),
        ("a.b.c".to_owned(), "OIDCToken.Invalid"),
        ("no-parts".to_owned(), "OIDCToken.Invalid"),
        (String::new(), "OIDCToken.Invalid"),
        ("x".repeat(20_001), "OIDCToken.Invalid"),
    ] {
        with_oidc(&token).refused(&cloud, 401, &format!("AuthenticationFail.{problem}")).await;
    }
}

#[tokio::test]
async fn parameters_are_checked() {
    let cloud = cloud().await;
    let token = cloud.mint("shop", "checkout").unwrap();
    let none = format!("{ROLE}-none");
    let unregistered = format!("acs:ram::{ACCOUNT}:oidc-provider/none");
    for (name, value, status, code) in [
        ("RoleArn", None, 400, "MissingRoleArn"),
        ("RoleArn", Some("demo"), 400, "InvalidParameter.RoleArn"),
        ("RoleArn", Some(none.as_str()), 404, "EntityNotExist.Role"),
        ("OIDCProviderArn", None, 400, "MissingOIDCProviderArn"),
        ("OIDCProviderArn", Some(unregistered.as_str()), 401, "AuthenticationFail.NoPermission"),
        ("OIDCToken", None, 400, "MissingOIDCToken"),
        ("RoleSessionName", None, 400, "MissingRoleSessionName"),
        ("RoleSessionName", Some("a"), 400, "InvalidParameter.RoleSessionName"),
        ("RoleSessionName", Some("a b"), 400, "InvalidParameter.RoleSessionName"),
        ("DurationSeconds", Some("899"), 400, "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", Some("3601"), 400, "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", Some("soon"), 400, "InvalidParameter.DurationSeconds"),
    ] {
        with_oidc(&token).form(name, value).refused(&cloud, status, code).await;
    }
}

#[tokio::test]
async fn rsa_keys_of_a_provider_are_believed_when_they_are_trusted() {
    let cloud = cloud().await;
    let issuer = Issuer::from_pem(RSA_PEM).unwrap();
    let token = issuer.mint(&request()).unwrap();
    with_oidc(&token).refused(&cloud, 401, "AuthenticationFail.OIDCToken.InvalidSignature").await;
    let keys = KeySet::from_json(issuer.key_set().to_json().as_bytes()).unwrap();
    cloud.trust_keys(ACCOUNT, "ack-rrsa-sdk", keys).unwrap();
    assert_eq!(with_oidc(&token).send(&cloud).await.unwrap().status, 200);
    let own = cloud.mint("shop", "checkout").unwrap();
    with_oidc(&own).refused(&cloud, 401, "AuthenticationFail.OIDCToken.InvalidSignature").await;
}

#[tokio::test]
async fn an_issuer_can_be_given() {
    let config = CloudConfig {
        issuer: Some(Issuer::from_pem(RSA_PEM).unwrap()),
        ..CloudConfig::new(seed())
    };
    let cloud = Cloud::start(config).await.unwrap();
    let token = Issuer::from_pem(RSA_PEM).unwrap().mint(&request()).unwrap();
    assert_eq!(with_oidc(&token).send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_role_can_be_chained_by_who_is_trusted_and_knows_the_external_id() {
    let cloud = cloud().await;
    let first = assumed(&cloud).await;
    let second = chain(&first, EXTERNAL_ID).send(&cloud).await.unwrap().credential();
    let theirs = secret("theirs").by(&second).send(&cloud).await.unwrap();
    assert_eq!(theirs.json()["SecretData"], "cross");
    chain(&first, "another").refused(&cloud, 403, "NoPermission").await;
    chain(&first, "x").refused(&cloud, 400, "InvalidParameter.ExternalId").await;
    chain(&second, EXTERNAL_ID).refused(&cloud, 403, "NoPermission").await;
    let nobody = Key {
        id: "LTAI5tEXAMPLEKEYID0002".to_owned(),
        secret: "anotherExampleKey0123456789abc".to_owned(),
        token: None,
    };
    chain(&nobody, EXTERNAL_ID).refused(&cloud, 403, "NoPermission").await;
    let mut without = chain(&first, EXTERNAL_ID);
    without.query.retain(|(name, _)| name != "ExternalId");
    without.refused(&cloud, 403, "NoPermission").await;
    Call { key: None, ..chain(&first, EXTERNAL_ID) }
        .refused(&cloud, 400, "MissingAccessKeyId")
        .await;
    assert_eq!(chain(&reader(), EXTERNAL_ID).send(&cloud).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_role_that_lists_no_caller_can_not_be_chained() {
    let cloud = cloud().await;
    let call = Call::new(STS, "AssumeRole", "2015-04-01", Some(reader()))
        .with("RoleArn", ROLE)
        .with("RoleSessionName", "chain");
    call.refused(&cloud, 403, "NoPermission").await;
}
