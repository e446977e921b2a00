//! A host of documents: what clients say of themselves, at whatever address a test gives it, and how often
//! each was read. It listens on loopback only and ends when it is dropped.

use crate::certificates::Authority;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A running host.
#[derive(Debug)]
pub struct Documents {
    url: Url,
    shelf: Arc<Mutex<Shelf>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shelf {
    pages: BTreeMap<String, Page>,
    read: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Page {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Documents {
    /// A host with nothing on it.
    pub async fn start() -> Result<Self> {
        Documents::with(None).await
    }

    /// The same over TLS, with a certificate of this authority.
    pub async fn over_tls(authority: &Authority) -> Result<Self> {
        Documents::with(Some(authority.acceptor()?)).await
    }

    async fn with(acceptor: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let url = Url::parse(&format!("{scheme}://{}/", listener.local_addr()?))?;
        let shelf = Arc::<Mutex<Shelf>>::default();
        let served = Arc::clone(&shelf);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (shelf, acceptor) = (Arc::clone(&served), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(socket, shelf).await,
                        Some(acceptor) => {
                            if let Ok(socket) = acceptor.accept(socket).await {
                                serve(socket, shelf).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Documents { url, shelf, task })
    }

    /// The address of what lies at this path.
    pub fn at(&self, path: &str) -> Result<Url> {
        Ok(self.url.join(path)?)
    }

    /// Puts a document there.
    pub fn put(&self, path: &str, body: &str) {
        self.answer(path, 200, &[("content-type", "application/json")], body);
    }

    /// From now on this is what is answered there.
    pub fn answer(&self, path: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let page = Page {
            status,
            headers: headers.collect(),
            body: body.to_owned(),
        };
        lock(&self.shelf).pages.insert(path.to_owned(), page);
    }

    /// How often something was asked for at this path.
    pub fn read(&self, path: &str) -> usize {
        lock(&self.shelf).read.get(path).copied().unwrap_or(0)
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<S>(socket: S, shelf: Arc<Mutex<Shelf>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let response = answer(&shelf, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    let _ = connection
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

fn answer(shelf: &Mutex<Shelf>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let mut shelf = lock(shelf);
    *shelf.read.entry(path.clone()).or_default() += 1;
    let Some(page) = shelf.pages.get(&path) else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Full::new(Bytes::from(page.body.clone())));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK);
    for (name, value) in &page.headers {
        let name = HeaderName::try_from(name.as_str());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
