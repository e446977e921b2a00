//! A hop that passes requests on unchanged, but for headers it adds: for peers that cannot send an
//! `Authorization` header themselves. It listens on loopback only.

use crate::serving::{Serving, port};
use crate::wire::deliver;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use std::sync::Arc;
use url::Url;

type Body = BoxBody<Bytes, hyper::Error>;

/// A running hop; it ends when this is dropped.
#[derive(Debug)]
pub struct Hop {
    url: Url,
    _serving: Serving,
}

impl Hop {
    /// Passes everything on to `target`, with these headers added.
    pub async fn start(target: &Url, headers: &[(&str, &str)]) -> Result<Self> {
        let (listener, _) = port().await?;
        let mut url = target.clone();
        let _ = url.set_port(Some(listener.local_addr()?.port()));
        let mut added = Vec::new();
        for (name, value) in headers {
            added.push((name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?));
        }
        let route = Arc::new((target.clone(), added));
        let serving = Serving::start(listener, move |request| pass(Arc::clone(&route), request));
        Ok(Hop {
            url,
            _serving: serving,
        })
    }

    /// Where it listens, with the path of the target.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

type Route = (Url, Vec<(HeaderName, HeaderValue)>);

async fn pass(route: Arc<Route>, mut request: Request<Incoming>) -> Response<Body> {
    let (target, added) = &*route;
    for (name, value) in added {
        request.headers_mut().insert(name.clone(), value.clone());
    }
    let mut url = target.clone();
    url.set_path(request.uri().path());
    url.set_query(request.uri().query());
    match deliver(&url, request).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(error) => {
            let said = Full::new(Bytes::from(format!("{error:#}"))).map_err(|never| match never {});
            let mut response = Response::new(said.boxed());
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            response
        }
    }
}
