//! A server that is a local process, speaking one message a line (rules of section 2.6).
//!
//! The sessions of one user by one client on one route share a process if they greet the server
//! alike, which in the modern era all do; nobody else shares one. A process is started for the first of them and ended a
//! while after the last. Its command, its environment and its directory come from the
//! configuration alone.

mod process;
mod stations;
mod stderr;

pub(super) use process::Process;

use super::duplex::{Channel, Hail, Keeper, Settings, Share, Station};
use super::era::{Eras, Order};
use super::{Bounds, Greeting, Owner, Sharing, StdioSpec, UpstreamError, lock, peek};
use crate::breaker::Breaker;
use aws_lc_rs::digest;
use bytes::Bytes;
use protocol::{Era, Value};
use stations::{Key, Slot, Stations};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// One server and its processes.
#[derive(Debug)]
pub(super) struct Local {
    spec: Arc<StdioSpec>,
    settings: Arc<Settings>,
    stations: Mutex<Stations>,
    closed: AtomicBool,
}

impl Local {
    pub(super) fn new(bounds: Bounds, spec: StdioSpec) -> Result<Self, UpstreamError> {
        if spec.command.first().is_none_or(String::is_empty) {
            return Err(UpstreamError::Settings {
                reason: "there is no command".to_owned(),
            });
        }
        let spec = Arc::new(spec);
        Ok(Local {
            spec: spec.clone(),
            settings: Arc::new(Settings {
                bounds,
                channel: Channel::Process(spec),
                breaker: Some(Arc::<Breaker>::default()),
            }),
            stations: Mutex::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Gives `owner` a share of a process that does handshakes, started now if there is none to
    /// share.
    pub(super) async fn open(
        self: &Arc<Self>,
        owner: &Owner,
        initialize: Bytes,
    ) -> Result<(Share, Bytes), UpstreamError> {
        let deadline = Instant::now() + self.settings.bounds.timeout;
        let id = peek::request_id(&initialize)?;
        let key = self.key(owner, Slot::Legacy(digest_of(&initialize)?));
        let hail = Hail {
            initialize,
            discover: Bytes::new(),
            order: Order::only(Era::Legacy),
        };
        let share = self.share(&key, hail)?;
        share.station().run(deadline).await?;
        if share.station().era() != Some(Era::Legacy) {
            // A probe of somebody else's ended so just now.
            return Err(UpstreamError::Era { era: Era::Legacy });
        }
        let answer = share.station().greeting_for(&id)?;
        Ok((share, answer))
    }

    /// Gives `owner` a share of a process in an era that it speaks: which one shows when a process
    /// is started.
    pub(super) async fn meet(
        self: &Arc<Self>,
        owner: &Owner,
        greeting: &Greeting,
        eras: &Eras,
    ) -> Result<(Share, Bytes), UpstreamError> {
        let deadline = Instant::now() + self.settings.bounds.timeout;
        let digest = digest_of(&greeting.initialize)?;
        let mut order = eras.order(greeting.prefer, Instant::now());
        // The second time is for those who find a process that is of no use to them.
        for last in [false, true] {
            let key = self.key(owner, Slot::of(order.first, digest));
            let hail = Hail {
                initialize: greeting.initialize.clone(),
                discover: greeting.discover.clone(),
                order,
            };
            let share = self.share(&key, hail)?;
            match share.station().run(deadline).await {
                Err(UpstreamError::Era { .. } | UpstreamError::Changed { .. }) if !last => {
                    // It is no longer the server that it was. Whoever holds it keeps it.
                    lock(&self.stations).forget(share.station());
                    continue;
                }
                started => started?,
            }
            let era = share.station().era().unwrap_or(order.first);
            note(eras, order, era, share.station());
            let wanted = Slot::of(era, digest);
            let settled = lock(&self.stations).place(&key, share.station(), wanted);
            if settled || last {
                let request = match era {
                    Era::Legacy => &greeting.initialize,
                    Era::Modern => &greeting.discover,
                };
                let answer = share.station().greeting_for(&peek::request_id(request)?)?;
                return Ok((share, answer));
            }
            order = Order::only(era);
        }
        Err(UpstreamError::Closed)
    }

    /// Ends every process and waits for it.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let stations = lock(&self.stations).drain();
        for station in &stations {
            station.stop();
        }
        for station in &stations {
            station.stopped().await;
        }
    }

    fn key(&self, owner: &Owner, slot: Slot) -> Key {
        Key {
            user: owner.user.clone(),
            client: owner.client.clone(),
            route: owner.route.clone(),
            session: match self.spec.sharing {
                Sharing::Session => Some(owner.session.clone()),
                Sharing::User => None,
            },
            slot,
        }
    }

    fn share(self: &Arc<Self>, key: &Key, hail: Hail) -> Result<Share, UpstreamError> {
        let mut stations = lock(&self.stations);
        if self.closed.load(Ordering::Acquire) {
            return Err(UpstreamError::Closed);
        }
        let limits = (self.spec.processes_per_user, self.spec.processes);
        let make = || Station::new(self.settings.clone(), hail);
        let station = stations.join(key, limits, make)?;
        Ok(Share::new(station, Keeper::Local(self.clone())))
    }

    /// Ends the process of `station` if no session uses it after a while. INVARIANT: sessions join
    /// a station under the lock that is held here, so none is ended that was just joined.
    pub(super) fn retire(self: &Arc<Self>, station: Arc<Station>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return station.stop();
        };
        let local = self.clone();
        let seen = station.departures();
        runtime.spawn(async move {
            tokio::time::sleep(local.spec.idle).await;
            let mut stations = lock(&local.stations);
            if !station.is_empty() || station.departures() != seen {
                return;
            }
            stations.remove(&station);
            station.stop();
        });
    }
}

/// Notes what the start of a process showed.
fn note(eras: &Eras, order: Order, era: Era, station: &Station) {
    eras.found(era);
    if era == order.first {
        if era == Era::Modern && station.legacy_too() {
            eras.found(Era::Legacy);
        }
    } else {
        eras.lacks(order.first, Instant::now());
    }
}

fn digest_of(initialize: &Bytes) -> Result<[u8; 32], UpstreamError> {
    let message = peek::own(initialize.clone())?;
    let params = message.params();
    let raw = |name| {
        let value = params.and_then(|params| params.get(name));
        value.map(Value::raw).unwrap_or_default()
    };
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(raw("protocolVersion"));
    context.update(b"\n");
    context.update(raw("capabilities"));
    let mut greeting = [0; 32];
    greeting.copy_from_slice(context.finish().as_ref());
    Ok(greeting)
}

#[cfg(test)]
mod tests;
