//! Answers of the API server are collected whole by its client. How large they are is for whoever
//! writes the objects to say, so that each has a bound; a watch alone has none, since it comes one
//! event at a time.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{LengthLimitError, Limited};
use hyper::http::{Request, Response, Uri};
use tower::{Layer, Service};

#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds;

#[derive(Clone, Debug)]
pub(super) struct Bounded<S>(S);

impl<S> Layer<S> for Bounds {
    type Service = Bounded<S>;

    fn layer(&self, service: S) -> Bounded<S> {
        Bounded(service)
    }
}

impl<S, Q, B> Service<Request<Q>> for Bounded<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<Limited<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let most = most(request.uri());
        let answer = self.0.call(request);
        Box::pin(async move { Ok(answer.await?.map(|body| Limited::new(body, most))) })
    }
}

fn most(uri: &Uri) -> usize {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let says = |wanted: &str| pairs.clone().any(|pair| pair == wanted);
    if says("watch=true") {
        return usize::MAX;
    }
    // `/api/v1/namespaces/NAME` and no more.
    let is_namespace = uri.path().strip_prefix("/api/v1/namespaces/");
    if is_namespace.is_some_and(|name| !name.contains('/'))
        || uri.path().contains("/serviceaccounts/")
    {
        return METADATA;
    }
    if uri.path().contains("/secretproviderclasses/") {
        return CLASS;
    }
    if pairs.any(|pair| pair == "limit=1") { ONE } else { ANSWER }
}

/// Whether an answer was given up for its size.
pub(super) fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

const ANSWER: usize = 4 * 1024 * 1024;
/// A list of one can always be read, so that there is an end to what makes pages smaller: an object has
/// 1.5 MiB where it is stored, and some of its characters have six bytes as the API server writes them.
pub(crate) const ONE: usize = 10 * 1024 * 1024;
/// Several ServiceAccounts and namespaces are read at once. Their metadata has some kilobytes.
pub(crate) const METADATA: usize = 128 * 1024;
/// The parameters of a class have 64 KiB at most, and once more in what kubectl keeps of it.
pub(crate) const CLASS: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_alone_has_no_end() {
        let most = |uri: &'static str| most(&Uri::from_static(uri));
        assert_eq!(most("/api/v1/serviceaccounts?watch=true&resourceVersion=1"), usize::MAX);
        assert_eq!(most("/api/v1/serviceaccounts?limit=100"), ANSWER);
        assert_eq!(most("/api/v1/serviceaccounts?&limit=1&continue=x"), ONE);
        assert_eq!(most("/api/v1/namespaces/shop/serviceaccounts/web"), METADATA);
        assert_eq!(most("/api/v1/namespaces/shop"), METADATA);
        let class = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/x/secretproviderclasses/y";
        assert_eq!(most(class), CLASS);
        assert_eq!(most("/api/v1/namespaces/x/secrets/y?a=watch=true"), ANSWER);
    }
}
