//! "Floor" proxies: what a gateway on this machine cannot beat.
//!
//!   mcpb-floor --mode tcp|dedicated|pooled|verify [--port 9200] [--up 9100] [--threads 1] [--jwks-raw FILE]
//!
//! tcp        layer-4 byte copy, no HTTP at all
//! dedicated  hyper server, one upstream hyper connection per client connection, bodies streamed
//! pooled     hyper server, shared pooled hyper-util client (what a usual reverse proxy does)
//! verify     pooled + Ed25519/ES256 signature check of the bearer token on every request
//!            + one full serde_json parse of the request body. No cache of any kind. The
//!            cheapest honest "zero-trust" data path; a real gateway adds policy, schema, audit.
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{combinators::BoxBody, BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use aws_lc_rs::signature::{UnparsedPublicKey, VerificationAlgorithm, ECDSA_P256_SHA256_FIXED, ED25519};

type Body = BoxBody<Bytes, hyper::Error>;

fn full(b: Bytes) -> Body {
    Full::new(b).map_err(|e| match e {}).boxed()
}
fn err(c: StatusCode) -> Response<Body> {
    let mut r = Response::new(full(Bytes::new()));
    *r.status_mut() = c;
    r
}
fn b64(s: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len() * 3 / 4);
    let (mut acc, mut bits) = (0u32, 0u32);
    for c in s.bytes() {
        let v = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        acc = acc << 6 | v as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
        }
    }
    Some(out)
}

struct Key {
    alg: &'static str,
    vk: UnparsedPublicKey<Vec<u8>>,
}
fn load_keys(path: &str) -> Vec<Key> {
    let v: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("jwks file")).expect("jwks json");
    let mut out = Vec::new();
    for k in v["keys"].as_array().expect("keys") {
        let f = |n: &str| b64(k[n].as_str().unwrap_or("")).unwrap_or_default();
        let (alg, va, raw): (_, &'static dyn VerificationAlgorithm, _) = match k["kty"].as_str() {
            Some("OKP") => ("EdDSA", &ED25519, f("x")),
            Some("EC") => ("ES256", &ECDSA_P256_SHA256_FIXED, [vec![4u8], f("x"), f("y")].concat()),
            _ => continue,
        };
        out.push(Key { alg, vk: UnparsedPublicKey::new(va, raw) });
    }
    out
}
fn check(keys: &[Key], auth: Option<&hyper::header::HeaderValue>) -> Option<()> {
    let tok = auth?.to_str().ok()?.strip_prefix("Bearer ")?;
    let (signed, sig) = tok.rsplit_once('.')?;
    let (h, p) = signed.split_once('.')?;
    let head: serde_json::Value = serde_json::from_slice(&b64(h)?).ok()?;
    let alg = head["alg"].as_str()?;
    let key = keys.iter().find(|k| k.alg == alg)?;
    key.vk.verify(signed.as_bytes(), &b64(sig)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&b64(p)?).ok()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    (claims["exp"].as_u64()? > now).then_some(())
}

#[expect(clippy::too_many_lines, reason = "a measuring loop reads better in one piece")]
fn main() {
    let (mut mode, mut port, mut up, mut threads, mut jwks) = ("pooled".to_string(), 9200u16, 9100u16, 1usize, String::new());
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        let v = a.next().expect("value");
        match k.as_str() {
            "--mode" => mode = v,
            "--port" => port = v.parse().unwrap(),
            "--up" => up = v.parse().unwrap(),
            "--threads" => threads = v.parse().unwrap(),
            "--jwks" => jwks = v,
            _ => panic!("unknown option {k}"),
        }
    }
    let keys = Arc::new(if mode == "verify" { load_keys(&jwks) } else { vec![] });
    let rt = if threads <= 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
    };
    rt.block_on(async move {
        let l = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("bind");
        let mut conn = HttpConnector::new();
        conn.set_nodelay(true);
        let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(256).build(conn);
        loop {
            let Ok((mut s, _)) = l.accept().await else { continue };
            let _ = s.set_nodelay(true);
            match mode.as_str() {
                "tcp" => {
                    tokio::spawn(async move {
                        let Ok(mut u) = tokio::net::TcpStream::connect(("127.0.0.1", up)).await else { return };
                        let _ = u.set_nodelay(true);
                        let _ = tokio::io::copy_bidirectional(&mut s, &mut u).await;
                    });
                }
                "dedicated" => {
                    tokio::spawn(async move {
                        let Ok(u) = tokio::net::TcpStream::connect(("127.0.0.1", up)).await else { return };
                        let _ = u.set_nodelay(true);
                        let Ok((tx, c)) = hyper::client::conn::http1::handshake::<_, Incoming>(TokioIo::new(u)).await else { return };
                        tokio::spawn(c);
                        let tx = Arc::new(std::sync::Mutex::new(tx));
                        let svc = hyper::service::service_fn(move |r: Request<Incoming>| {
                            let f = tx.lock().unwrap().send_request(r);
                            async move {
                                Ok::<_, Infallible>(match f.await {
                                    Ok(r) => r.map(|b| b.boxed()),
                                    Err(_) => err(StatusCode::BAD_GATEWAY),
                                })
                            }
                        });
                        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(s), svc).await;
                    });
                }
                m => {
                    let verify = m == "verify";
                    let (client, keys) = (client.clone(), keys.clone());
                    tokio::spawn(async move {
                        let svc = hyper::service::service_fn(move |r: Request<Incoming>| {
                            let (client, keys) = (client.clone(), keys.clone());
                            async move {
                                let (mut p, b) = r.into_parts();
                                let pq = p.uri.path_and_query().map(|x| x.as_str()).unwrap_or("/");
                                p.uri = format!("http://127.0.0.1:{up}{pq}").parse::<Uri>().unwrap();
                                let body = if verify {
                                    if check(&keys, p.headers.get(AUTHORIZATION)).is_none() {
                                        return Ok(err(StatusCode::UNAUTHORIZED));
                                    }
                                    p.headers.remove(AUTHORIZATION);
                                    let Ok(b) = b.collect().await else { return Ok(err(StatusCode::BAD_REQUEST)) };
                                    let b = b.to_bytes();
                                    if !b.is_empty() && serde_json::from_slice::<serde_json::Value>(&b).is_err() {
                                        return Ok(err(StatusCode::BAD_REQUEST));
                                    }
                                    full(b)
                                } else {
                                    b.boxed()
                                };
                                Ok::<_, Infallible>(match client.request(Request::from_parts(p, body)).await {
                                    Ok(r) => r.map(|b| b.boxed()),
                                    Err(_) => err(StatusCode::BAD_GATEWAY),
                                })
                            }
                        });
                        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(s), svc).await;
                    });
                }
            }
        }
    });
}
