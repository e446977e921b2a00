//! HTTP with full control over every header and byte, and SSE reading: what an SDK would tidy up is
//! sent as it is. Nothing is retried, redirected or pooled.

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// No answer of a healthy peer takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(180);

/// A request as it will be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

impl Outgoing {
    /// A request with no headers but `Host`.
    pub fn new(method: Method, url: &Url) -> Self {
        Outgoing {
            method,
            url: url.clone(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A JSON message, with the headers every MCP client sends.
    pub fn message(url: &Url, message: &Value) -> Self {
        Outgoing::new(Method::POST, url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(message.to_string())
    }

    /// Sends it with another HTTP method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a header, in place of one of that name. A value that no header can have is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some((name, value)) = pair(name, value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sends the header once more.
    #[must_use]
    pub fn and_header(mut self, name: &str, value: &str) -> Self {
        if let Some((name, value)) = pair(name, value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Leaves the header out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Result<Reply> {
        let socket = connect(&self.url).await?;
        self.send_over(socket).await
    }

    /// Sends it over this connection, such as one that is encrypted, and reads the whole answer.
    pub async fn send_over<S>(self, socket: S) -> Result<Reply>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let waiting = async {
            let url = self.url.clone();
            let (head, body) = deliver_over(socket, &url, self.request())
                .await?
                .into_parts();
            let body = body
                .collect()
                .await
                .context("the answer broke off")?
                .to_bytes();
            Ok(Reply {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .context("no answer in time")?
    }

    /// Sends it and reads the answer event by event.
    pub async fn stream(self) -> Result<Events> {
        let response = tokio::time::timeout(PATIENCE, self.open())
            .await
            .context("no answer in time")??;
        let (head, body) = response.into_parts();
        Ok(Events {
            status: head.status,
            headers: head.headers,
            body,
            rest: BytesMut::new(),
        })
    }

    async fn open(self) -> Result<Response<Incoming>> {
        let url = self.url.clone();
        deliver(&url, self.request()).await
    }

    fn request(self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.headers_mut() = self.headers;
        request
    }
}

/// Sends a request to where `url` points, with the path and query of `url`, over a new connection.
pub async fn deliver<B>(url: &Url, request: Request<B>) -> Result<Response<Incoming>>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    deliver_over(connect(url).await?, url, request).await
}

async fn deliver_over<S, B>(
    socket: S,
    url: &Url,
    mut request: Request<B>,
) -> Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let target = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    *request.uri_mut() = target.parse()?;
    *request.version_mut() = http::Version::HTTP_11;
    if !request.headers().contains_key(http::header::HOST) {
        let host = HeaderValue::from_str(&authority(url)?)?;
        request.headers_mut().insert(http::header::HOST, host);
    }
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// Sends these very bytes and returns what comes back until the peer hangs up or goes quiet.
pub async fn raw(url: &Url, bytes: &[u8], quiet: Duration) -> Result<Vec<u8>> {
    let mut socket = connect(url).await?;
    socket.write_all(bytes).await?;
    let mut answer = Vec::new();
    let mut part = [0u8; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(quiet, socket.read(&mut part)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(part.get(..read).unwrap_or_default());
    }
    Ok(answer)
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// A header, if it is there as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; of an event stream, the last message in it.
    pub fn json(&self) -> Result<Value> {
        let is_stream = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        let text = std::str::from_utf8(&self.body)?;
        if !is_stream {
            return serde_json::from_str(text)
                .with_context(|| format!("not JSON: {} {text}", self.status));
        }
        let mut rest = BytesMut::from(text);
        let mut last = None;
        while let Some(event) = next_event(&mut rest) {
            if !event.data.is_empty() {
                last = Some(event);
            }
        }
        let last = last.with_context(|| format!("a stream without a message: {text}"))?;
        Ok(serde_json::from_str(&last.data)?)
    }

    /// Every message of the body in its order: one, or those of an event stream.
    pub fn messages(&self) -> Result<Vec<Value>> {
        let is_stream = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        if !is_stream {
            return Ok(vec![self.json()?]);
        }
        let mut rest = BytesMut::from(&self.body[..]);
        let mut all = Vec::new();
        while let Some(event) = next_event(&mut rest) {
            if !event.data.is_empty() {
                all.push(serde_json::from_str(&event.data)?);
            }
        }
        Ok(all)
    }

    /// The stable code of a refusal; of anything else, what it was, for the message of a test.
    pub fn code(&self) -> String {
        let message = self.json().unwrap_or_default();
        refusal(&message).map_or_else(|| format!("{} {message}", self.status), |(code, _)| code)
    }

    /// The control that refused, if one did.
    pub fn control(&self) -> Option<String> {
        refusal(&self.json().ok()?).map(|(_, control)| control)
    }
}

/// The stable code of a refusal in a message; of anything else, the message.
pub fn code(message: &Value) -> String {
    refusal(message).map_or_else(|| message.to_string(), |(code, _)| code)
}

/// The stable code and the control of a refusal, in a JSON-RPC error or in a tool result.
pub fn refusal(message: &Value) -> Option<(String, String)> {
    let in_error = message.pointer("/error/data");
    // A tool result says it under a `_meta` key with a prefix of the product's own choosing.
    let meta = message.pointer("/result/_meta").and_then(Value::as_object);
    let members = meta.into_iter().flat_map(|members| members.values());
    in_error.into_iter().chain(members).find_map(|data| {
        let code = data.get("code")?.as_str()?;
        let control = data.get("control")?.as_str()?;
        Some((code.to_owned(), control.to_owned()))
    })
}

/// Sends these bytes and hangs up before anything can come back.
pub async fn cut(url: &Url, bytes: &[u8]) -> Result<()> {
    let mut socket = connect(url).await?;
    socket.write_all(bytes).await?;
    socket.shutdown().await?;
    Ok(())
}

/// An answer that is read event by event.
#[derive(Debug)]
pub struct Events {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Incoming,
    rest: BytesMut,
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What to resume from.
    pub id: Option<String>,
    /// What it says; empty for an event that only carries an id.
    pub data: String,
}

impl Events {
    /// The next event; nothing when the stream has ended.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = next_event(&mut self.rest) {
                return Ok(Some(event));
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            match frame.context("nothing more came")? {
                None => return Ok(None),
                Some(frame) => {
                    let data = frame?.into_data().unwrap_or_default();
                    self.rest.extend_from_slice(&data);
                }
            }
        }
    }

    /// Waits until it has ended, for so long at most.
    pub async fn ends_within(mut self, time: Duration) -> Result<()> {
        let ending = async {
            while self.next().await?.is_some() {}
            Ok(())
        };
        let ended = tokio::time::timeout(time, ending).await;
        ended.context("the stream is still open")?
    }

    /// What is left of it as a whole answer, once it has ended.
    pub async fn reply(self) -> Result<Reply> {
        let rest = tokio::time::timeout(PATIENCE, self.body.collect());
        let rest = rest.await.context("the answer does not end")??;
        let mut body = self.rest;
        body.extend_from_slice(&rest.to_bytes());
        Ok(Reply {
            status: self.status,
            headers: self.headers,
            body: body.freeze(),
        })
    }

    /// The next message that satisfies `wanted`.
    pub async fn message(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        while let Some(event) = self.next().await? {
            if event.data.is_empty() {
                continue;
            }
            let message = serde_json::from_str(&event.data)?;
            if wanted(&message) {
                return Ok(message);
            }
        }
        bail!("the stream ended without the message that was waited for")
    }
}

/// Takes one complete event off the front.
fn next_event(rest: &mut BytesMut) -> Option<Event> {
    let text = std::str::from_utf8(rest).ok()?;
    let plain = text.find("\n\n").map(|at| (at, 2));
    // The other mark is looked for only where it would come sooner: streams can be long.
    let before = plain.and_then(|(at, _)| text.get(..=at)).unwrap_or(text);
    let other = before.find("\r\n\r\n").map(|at| (at, 4));
    let (end, skip) = other.or(plain)?;
    let mut event = Event::default();
    for line in text.get(..end)?.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => event.id = Some(value.to_owned()),
            "data" if event.data.is_empty() => value.clone_into(&mut event.data),
            "data" => event.data.extend(["\n", value]),
            _ => {}
        }
    }
    let _ = rest.split_to(end + skip);
    Some(event)
}

fn pair(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((
        name.parse().ok()?,
        HeaderValue::from_bytes(value.as_bytes()).ok()?,
    ))
}

fn authority(url: &Url) -> Result<String> {
    let host = url.host_str().context("a URL without a host")?;
    Ok(url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the tests connect to anything"
)]
pub(crate) async fn connect(url: &Url) -> Result<TcpStream> {
    let host = url.host_str().context("a URL without a host")?;
    let port = url
        .port_or_known_default()
        .context("a URL without a port")?;
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
    let socket = socket.with_context(|| format!("cannot connect to {url}"))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_events_across_line_endings_and_pieces() {
        let mut rest = BytesMut::from("id: 1\ndata: \n\n: note\ndata: a\ndata: b\r\n\r\nid: 2\nda");
        let ids: Vec<_> = std::iter::from_fn(|| next_event(&mut rest))
            .map(|e| (e.id, e.data))
            .collect();
        assert_eq!(
            ids,
            [
                (Some("1".to_owned()), String::new()),
                (None, "a\nb".to_owned())
            ]
        );
        assert_eq!(&rest[..], b"id: 2\nda");
    }

    #[test]
    fn finds_a_refusal_in_an_error_and_in_a_tool_result() {
        let data = serde_json::json!({ "code": "token_audience", "control": "M1" });
        let expected = Some(("token_audience".to_owned(), "M1".to_owned()));
        let error = serde_json::json!({ "error": { "code": -31005, "data": data } });
        assert_eq!(refusal(&error), expected);
        let result = serde_json::json!({ "result": { "isError": true, "_meta": { "dev.example/x": data } } });
        assert_eq!(refusal(&result), expected);
        assert_eq!(refusal(&serde_json::json!({ "result": {} })), None);
    }
}
