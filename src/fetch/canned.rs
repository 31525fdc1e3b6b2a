//! A web without sockets, for tests: a function answers each request, and what was asked is kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, header};

use super::request::{Fetch, FetchError, Fetching, Read, Request, Response};
use crate::canonical::CanonicalUrl;
use crate::parse::body::Body;
use crate::visit::Validators;

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub url: CanonicalUrl,
    pub licensed: bool,
    pub validators: Option<Validators>,
}

type Answer = dyn Fn(&Asked) -> Result<Response, FetchError> + Send + Sync;

/// Answers at once, in the way of an HTTP client: as much of a body as is wanted.
pub(crate) struct Canned {
    answer: Box<Answer>,
    asked: Mutex<Vec<Asked>>,
}

impl fmt::Debug for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canned").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Canned {
    pub(crate) fn new(answer: impl Fn(&Asked) -> Result<Response, FetchError> + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(answer), asked: Mutex::default() }
    }

    /// Pages by URL. Everything else, robots.txt as well, has status 404.
    pub(crate) fn web<'a>(pages: impl IntoIterator<Item = (&'a str, Response)>) -> Self {
        let held = |Response { status, headers, body }| (status, headers, body.and_then(|body| body.load().ok()));
        let pages: HashMap<_, _> = pages.into_iter().map(|(url, page)| (url.to_owned(), held(page))).collect();
        Self::new(move |asked| {
            let page = pages.get(asked.url.as_str()).cloned();
            let page = page.map(|(status, headers, body)| Response { status, headers, body: body.map(Body::from) });
            Ok(page.unwrap_or_else(|| status(404)))
        })
    }

    /// The requests so far, in their order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn respond(&self, request: Request<'_>) -> Result<Response, FetchError> {
        let Request { url, method: _, licensed, validators, wants, memory } = request;
        let asked = Asked { url: url.clone(), licensed, validators: validators.cloned() };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        let Response { status, headers, body } = (self.answer)(&asked)?;
        let body = match wants(status, &headers) {
            Read::Nothing => Ok(None),
            read => {
                let body = body.unwrap_or_default().load().unwrap_or_default();
                let mut taken = Body::default();
                read.take(&mut taken, &body, memory).map(|_| Some(taken))
            }
        };
        Response::new(status, headers, body)
    }
}

impl Fetch for Canned {
    fn fetch<'a>(&'a self, request: Request<'a>) -> Fetching<'a> {
        Box::pin(async move { self.respond(request) })
    }
}

/// A response without headers and body.
pub(crate) fn status(status: u16) -> Response {
    Response { status, headers: HeaderMap::new(), body: None }
}

/// A page of HTML.
pub(crate) fn html(body: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    Response { status: 200, headers: headers.into_iter().collect(), body: Some(body.as_bytes().to_vec().into()) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::parse::memory::Memory;
    use crate::visit::{FailureKind, Method};

    fn url(text: &str) -> CanonicalUrl {
        CanonicalUrl::parse(text).unwrap()
    }

    async fn get(web: &dyn Fetch, to: &str, read: Read) -> Result<(u16, Option<Vec<u8>>), FetchError> {
        let wants = |status, _: &HeaderMap| if matches!(status, 200 | 500) { read } else { Read::Nothing };
        let memory = Memory::default();
        let request = Request {
            url: &url(to),
            method: Method::Get,
            licensed: true,
            validators: None,
            wants: &wants,
            memory: &memory,
        };
        let body = |body: Option<Body>| body.map(|body| body.load().unwrap());
        web.fetch(request).await.map(|response| (response.status, body(response.body)))
    }

    #[tokio::test]
    async fn as_much_of_a_page_is_given_as_is_wanted_of_it() {
        let error = Response { status: 500, ..html("12345") };
        let web = [("http://a.example/", html("12345")), ("http://a.example/error", error)];
        let web: Arc<dyn Fetch> = Arc::new(Canned::web(web));
        let page = "http://a.example/";
        assert_eq!(get(&*web, page, Read::Whole(5)).await.unwrap(), (200, Some(b"12345".into())));
        assert_eq!(get(&*web, page, Read::Start(2)).await.unwrap(), (200, Some(b"12".into())));
        assert_eq!(get(&*web, page, Read::Nothing).await.unwrap(), (200, None));
        assert_eq!(get(&*web, "http://a.example/x", Read::Whole(5)).await.unwrap(), (404, None));
        let failed = get(&*web, page, Read::Whole(4)).await;
        assert!(matches!(failed, Err(FetchError::Failed { kind: FailureKind::TooLarge, .. })));
        assert_eq!(get(&*web, "http://a.example/error", Read::Whole(5)).await.unwrap(), (500, Some(b"12345".into())));
        assert_eq!(get(&*web, "http://a.example/error", Read::Whole(4)).await.unwrap(), (500, None));
    }

    #[tokio::test]
    async fn an_answer_may_depend_on_the_request_and_every_request_is_kept() {
        let web = Canned::new(|asked| match &asked.validators {
            Some(_) => Ok(status(304)),
            None => Err(FetchError::failed(FailureKind::Connect, "nobody is there")),
        });
        let validators = Validators { etag: Some("\"1\"".into()), last_modified: None };
        let (url, wants) = (url("http://a.example/"), |_, _: &HeaderMap| Read::Nothing);
        let memory = Memory::default();
        let request = Request {
            url: &url,
            method: Method::Get,
            licensed: false,
            validators: Some(&validators),
            wants: &wants,
            memory: &memory,
        };
        assert_eq!(web.fetch(request).await.unwrap().status, 304);
        assert!(web.fetch(Request { validators: None, ..request }).await.is_err());
        let asked = Asked { url: url.clone(), licensed: false, validators: Some(validators) };
        assert_eq!(web.asked(), [asked.clone(), Asked { validators: None, ..asked }]);
    }
}
