//! Whether this caller may send one more message now: rates and concurrency per address, user,
//! session, tool and resource (controls 4.1, 4.3). Keys are hashes of verified values; a limit that
//! cannot be counted is a refusal.

use crate::gate::Gate;
use crate::route::Pace;
use crate::stages::draft::{Draft, Stage};
use crate::stages::identify::Identified;
use crate::stages::raw::Raw;
use crate::stages::refused::{self, Refused};
use protocol::Target;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Deref;
use watch::{Charge, Dimension, KeyHash, Permit, Seat};

/// A message that is within every limit; its place is held until it is answered.
#[derive(Debug)]
pub struct Admitted {
    identified: Identified,
    /// Held, never read: the seats are given back when the call is dropped, answer and all.
    _permit: Permit,
}

impl Admitted {
    pub(super) fn identified_mut(&mut self) -> &mut Identified {
        &mut self.identified
    }
}

impl Deref for Admitted {
    type Target = Identified;

    fn deref(&self) -> &Identified {
        &self.identified
    }
}

/// A message whose address has paid for it. It has not been read yet.
#[derive(Debug)]
pub struct Knocked(Raw);

impl Knocked {
    pub(super) fn into_raw(self) -> Raw {
        self.0
    }
}

/// Takes one unit from the bucket of the address, before anybody looks at message or token.
pub fn knock(gate: &Gate, raw: Raw, draft: &mut Draft) -> Result<Knocked, Refused> {
    let rate = raw.route().limits.source.rate;
    let key = gate.keyer.key(network(raw.source()));
    let charge = Charge::one(Dimension::Source, key, rate);
    let taken = gate.limits.take(&[charge], gate.clock().monotonic_ns());
    draft.ran(controls::N4_1);
    taken.map_err(|exceeded| refused::too_much(&exceeded, controls::N4_1))?;
    Ok(Knocked(raw))
}

/// Takes one unit from every bucket the message falls into, and one seat beside each.
pub fn enter(gate: &Gate, identified: Identified, draft: &mut Draft) -> Result<Admitted, Refused> {
    if gate.ledger.health().is_err() {
        return Err(refused::unrecorded());
    }
    let keys = keys(gate, &identified);
    gate.limits
        .take(keys.charges_after_the_first(), gate.clock().monotonic_ns())
        .map_err(|exceeded| refused::too_much(&exceeded, controls::N4_1))?;
    let permit = gate
        .limits
        .enter(keys.seats())
        .map_err(|exceeded| refused::too_much(&exceeded, controls::N4_3))?;
    draft.ran(controls::N4_1);
    draft.ran(controls::N4_3);
    draft.done(Stage::Admit);
    Ok(Admitted {
        identified,
        _permit: permit,
    })
}

fn keys(gate: &Gate, identified: &Identified) -> Keys {
    let route = identified.raw().route();
    let limits = &route.limits;
    let user = identified.caller().user().as_str();
    let keyer = &gate.keyer;
    let mut keys = Keys::new(
        Dimension::Source,
        keyer.key(network(identified.raw().source())),
        limits.source,
    );
    keys.add(Dimension::User, keyer.key(user), limits.user);
    let session = identified
        .session()
        .filter(|session| !session.is_stateless());
    if let Some(session) = session {
        keys.add(Dimension::Session, keyer.key(session.id()), limits.session);
    }
    let path = &*route.path;
    match identified.target() {
        Target::Tool(name) => keys.add(
            Dimension::Tool,
            keyer.key((user, path, &*name)),
            limits.tool,
        ),
        Target::Prompt(name) => {
            keys.add(
                Dimension::Resource,
                keyer.key((user, path, "prompt", &*name)),
                limits.resource,
            );
        }
        Target::Resource(uri) => {
            keys.add(
                Dimension::Resource,
                keyer.key((user, path, "resource", &*uri)),
                limits.resource,
            );
        }
        _ => {}
    }
    keys
}

/// What counts as one address: of IPv6 the network of 64 bits, which one caller has all of.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
        IpAddr::V4(_) => source,
    }
}

/// What one message is counted under. It lives on the stack: this runs for every message.
struct Keys {
    charges: [Charge; Self::MOST],
    seats: [Seat; Self::MOST],
    count: usize,
}

impl Keys {
    const MOST: usize = Dimension::ALL.len();

    fn new(dimension: Dimension, key: KeyHash, pace: Pace) -> Self {
        let (charge, seat) = counted(dimension, key, pace);
        Keys {
            charges: [charge; Self::MOST],
            seats: [seat; Self::MOST],
            count: 1,
        }
    }

    fn add(&mut self, dimension: Dimension, key: KeyHash, pace: Pace) {
        let counted = counted(dimension, key, pace);
        // INVARIANT: there are no more dimensions than places.
        if let (Some(charge), Some(seat)) = (
            self.charges.get_mut(self.count),
            self.seats.get_mut(self.count),
        ) {
            (*charge, *seat) = counted;
            self.count += 1;
        }
    }

    /// Without the address, which has paid when it knocked.
    fn charges_after_the_first(&self) -> &[Charge] {
        self.charges.get(1..self.count).unwrap_or_default()
    }

    fn seats(&self) -> &[Seat] {
        self.seats.get(..self.count).unwrap_or_default()
    }
}

fn counted(dimension: Dimension, key: KeyHash, pace: Pace) -> (Charge, Seat) {
    (
        Charge::one(dimension, key, pace.rate),
        Seat {
            dimension,
            key,
            max: pace.concurrent,
        },
    )
}
