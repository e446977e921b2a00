//! Serves HTTP/1.1 on a port of its own on loopback, for the servers of ours that answer each request by
//! itself. What is answered is for them to say.

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A port on loopback that nobody else has, and its origin.
pub(crate) async fn port() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    Ok((listener, origin))
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Serving(JoinHandle<()>);

impl Serving {
    /// Answers every request that comes to this port with what `answer` makes of it.
    pub(crate) fn start<F, B>(
        listener: TcpListener,
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Serving(tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let answered = answer(request);
                        async move { Ok::<_, Infallible>(answered.await) }
                    });
                    let server = hyper::server::conn::http1::Builder::new();
                    // Whoever goes away in the middle is nobody's error.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        }))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
