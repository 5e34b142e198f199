use std::future::pending;

use tokio::time::{advance, timeout};

use super::*;
use crate::call_info::CallInfo;
use crate::cause::Unreachable;
use crate::keys::Lifetime;

/// Credentials from 0 to 1,000 seconds, which are due from 800 on.
fn credentials(name: &str) -> Credentials {
    let secret = || secret::Sensitive::from("x".to_owned());
    let lifetime = Some(Lifetime { issued: 0, expires: 1000 });
    Credentials::new(name.to_owned(), secret(), Some(secret()), "caller".to_owned(), lifetime)
}

fn silence() -> Error {
    let asked = CallInfo {
        operation: "STS",
        host: "sts".to_owned(),
        subject: "r".to_owned(),
        identity: true,
    };
    Error::new(asked, Unreachable::Timeout.into(), 1)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// What STS gives, when it is asked.
async fn given(
    cache: &CredentialCache,
    now: u64,
    refused: Option<&Arc<Credentials>>,
    name: &str,
) -> Arc<Credentials> {
    let exchange = |_| async { Ok(credentials(name)) };
    cache.obtain(|| now, refused, soon(), exchange).await.unwrap().unwrap()
}

/// STS says nothing until the deadline.
async fn silent(
    cache: &CredentialCache,
    now: u64,
    refused: Option<&Arc<Credentials>>,
) -> Result<Arc<Credentials>, Error> {
    let exchange = |until| async move {
        let _ = timeout_at(until, pending::<()>()).await;
        Err(silence())
    };
    cache.obtain(|| now, refused, soon(), exchange).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn good_credentials_are_there_for_others_while_those_of_one_host_are_exchanged_anew() {
    let cache = CredentialCache::default();
    let first = given(&cache, 0, None, "first").await;
    let refused = silent(&cache, 1, Some(&first));
    let others = async {
        tokio::task::yield_now().await;
        let moment = Duration::from_millis(1);
        timeout(moment, given(&cache, 1, None, "never asked")).await.unwrap()
    };
    let (refused, others) = tokio::join!(refused, others);
    assert!(refused.is_err() && Arc::ptr_eq(&others, &first));
}

#[tokio::test(start_paused = true)]
async fn an_early_renewal_holds_up_no_other_and_leaves_half_of_the_time_to_its_own() {
    let cache = CredentialCache::default();
    let first = given(&cache, 0, None, "first").await;
    let began = Instant::now();
    let deadline = began + Duration::from_secs(2);
    let exchange = |until| async move {
        let _ = timeout_at(until, pending::<()>()).await;
        Err(silence())
    };
    let renewing = async {
        let kept = cache.obtain(|| 900, None, deadline, exchange).await.unwrap().unwrap();
        (kept, began.elapsed())
    };
    let others = async {
        tokio::task::yield_now().await;
        let moment = Duration::from_millis(1);
        timeout(moment, given(&cache, 900, None, "never asked")).await.unwrap()
    };
    let ((renewed, after), others) = tokio::join!(renewing, others);
    assert!(Arc::ptr_eq(&renewed, &first) && Arc::ptr_eq(&others, &first));
    assert_eq!(after, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_refuses_all_credentials_has_them_exchanged_now_and_then_and_not_each_time() {
    let cache = CredentialCache::default();
    let first = given(&cache, 0, None, "first").await;
    let second = given(&cache, 1, Some(&first), "second").await;
    assert!(!Arc::ptr_eq(&second, &first), "the first word is believed");
    let again = given(&cache, 2, Some(&second), "never asked").await;
    assert!(Arc::ptr_eq(&again, &second));
    advance(QUIET).await;
    let third = given(&cache, 32, Some(&second), "third").await;
    assert!(!Arc::ptr_eq(&third, &second));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_over_are_exchanged_once_for_all_who_wait() {
    let cache = CredentialCache::default();
    let first = given(&cache, 0, None, "first").await;
    let (one, other) = tokio::join!(silent(&cache, 1000, None), silent(&cache, 1000, None));
    assert!(one.is_err() && other.is_err());
    assert_eq!(cache.failures.load(Ordering::Relaxed), 1);
    let (one, other) =
        tokio::join!(given(&cache, 1000, Some(&first), "a"), given(&cache, 0, Some(&first), "b"));
    assert!(Arc::ptr_eq(&one, &other));
}

/// The keys of a Secret change while STS takes its time with those of before.
#[tokio::test(start_paused = true)]
async fn credentials_that_were_asked_for_with_what_is_gone_are_not_kept() {
    for is_due in [false, true] {
        let cache = CredentialCache::default();
        let edition = |name: &str| cache.follow(Some(name.to_owned()));
        edition("1");
        if is_due {
            given(&cache, 0, None, "first").await;
        }
        let exchange = |_| async {
            edition("2");
            Ok(credentials("late"))
        };
        let late = cache.obtain(|| 900, None, soon(), exchange).await.unwrap().unwrap();
        assert_eq!(late.key_id(), "late");
        assert_eq!(given(&cache, 0, None, "second").await.key_id(), "second");
    }
}
