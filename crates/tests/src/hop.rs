//! A hop that passes requests on unchanged, but for headers it adds: for peers that cannot send an
//! `Authorization` header themselves. It listens on loopback only.

use crate::wire::deliver;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

type Body = BoxBody<Bytes, hyper::Error>;

/// A running hop; it ends when this is dropped.
#[derive(Debug)]
pub struct Hop {
    url: Url,
    task: JoinHandle<()>,
}

impl Hop {
    /// Passes everything on to `target`, with these headers added.
    pub async fn start(target: &Url, headers: &[(&str, &str)]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut url = target.clone();
        let port = listener.local_addr()?.port();
        let _ = url.set_port(Some(port));
        let mut added = Vec::new();
        for (name, value) in headers {
            added.push((name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?));
        }
        let task = tokio::spawn(accept(listener, Arc::new((target.clone(), added))));
        Ok(Hop { url, task })
    }

    /// Where it listens, with the path of the target.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Route = (Url, Vec<(HeaderName, HeaderValue)>);

async fn accept(listener: TcpListener, route: Arc<Route>) {
    while let Ok((socket, _)) = listener.accept().await {
        let route = Arc::clone(&route);
        tokio::spawn(async move {
            let service = service_fn(|request| pass(Arc::clone(&route), request));
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn pass(
    route: Arc<Route>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (target, added) = &*route;
    for (name, value) in added {
        request.headers_mut().insert(name.clone(), value.clone());
    }
    let mut url = target.clone();
    url.set_path(request.uri().path());
    url.set_query(request.uri().query());
    Ok(match deliver(&url, request).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(error) => {
            let said = Full::new(Bytes::from(format!("{error:#}"))).map_err(|never| match never {});
            let mut response = Response::new(said.boxed());
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            response
        }
    })
}
