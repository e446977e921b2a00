//! The HTTP upstream against a server of ours that does what each case wants and notes all it saw.

mod calls;
mod eras;
mod modern;
mod sessions;
mod streams;

use crate::upstream::scripted::*;
use crate::upstream::{EraChoice, Link, Outgoing, Reply, UpstreamError, Verdict};
use http::Response;
use protocol::Era;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
