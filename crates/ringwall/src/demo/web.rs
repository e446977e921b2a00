//! What the demo serves over HTTP on loopback: the development issuer's metadata and keys, and the
//! server `workshop`. Both stand behind the gateway, so both are plain.

use super::tools;
use super::workshop::Workshop;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use identity::development::DevelopmentIssuer;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The largest message that is read.
const BODY_BYTES: usize = 1 << 20;

/// A page of the demo, served until it is dropped.
#[derive(Debug)]
pub(super) struct Served(JoinHandle<()>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves the issuer's metadata and keys. There is no way to get a token from it.
pub(super) fn issuer(socket: TcpListener, issuer: Arc<DevelopmentIssuer>) -> Served {
    Served(tokio::spawn(serve(
        socket,
        move |request: Request<Incoming>| {
            let issuer = Arc::clone(&issuer);
            async move {
                match request.uri().path() {
                    "/.well-known/oauth-authorization-server"
                    | "/.well-known/openid-configuration" => json(issuer.metadata_json()),
                    "/jwks" => json(issuer.jwks_json()),
                    _ => empty(StatusCode::NOT_FOUND),
                }
            }
        },
    )))
}

/// Serves the workshop over Streamable HTTP, without sessions and without a stream of its own.
pub(super) fn workshop(socket: TcpListener, workshop: Arc<Workshop>) -> Served {
    Served(tokio::spawn(serve(
        socket,
        move |request: Request<Incoming>| {
            let workshop = Arc::clone(&workshop);
            async move {
                if request.method() != Method::POST {
                    return empty(StatusCode::METHOD_NOT_ALLOWED);
                }
                let Ok(body) = Limited::new(request.into_body(), BODY_BYTES)
                    .collect()
                    .await
                else {
                    return empty(StatusCode::BAD_REQUEST);
                };
                let Ok(message) = serde_json::from_slice(&body.to_bytes()) else {
                    return empty(StatusCode::BAD_REQUEST);
                };
                match tools::answer(&*workshop, &message) {
                    Some(answer) => json(answer.to_string()),
                    None => empty(StatusCode::ACCEPTED),
                }
            }
        },
    )))
}

async fn serve<F, A>(socket: TcpListener, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    while let Ok((stream, _)) = socket.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // Whoever hangs up early misses nothing that matters here.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn json(text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
