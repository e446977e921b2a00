//! Where the names in arguments lead (control 1.1), by the look-up and the rules of the one egress path.
//! Nothing is looked up for a caller whom policy denies: this comes after the decision, and what is found
//! can only refuse, or be told.
//!
//! The server looks a name up again for itself, and may be told something else. What is judged here is
//! what the name says now; only a network that lets the server go nowhere else prevents the rest.

use super::arguments::Held;
use crate::content::Content;
use crate::egress::{Egress, EgressError, Network};
use crate::stages::resolve::Subject;
use ::inspect::meaning::Consequence;
use std::time::Duration;
use tokio::time::Instant;

/// How long the names of one call are looked up together.
const LOOKING: Duration = Duration::from_secs(5);
/// Names that are looked up for one call, each once. Where one more would lead nobody knows.
const NAMES: usize = 16;

/// What is wrong with a value beyond its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) rule: &'static str,
    pub(super) remedy: &'static str,
    /// Whether no honest value does it.
    pub(super) certain: bool,
}

pub(super) const FORBIDDEN: Wrong = Wrong {
    rule: "host.forbidden_address",
    remedy: "use an address that the operator lets this server reach, as a rule one on the internet",
    certain: true,
};
pub(super) const UNRESOLVED: Wrong = Wrong {
    rule: "host.unresolved",
    remedy: "use a name that can be looked up",
    certain: false,
};

/// A name that nobody could look up in time, or for want of room: it may lead anywhere, and not because of
/// what it is but of what stands beside it.
pub(super) const UNJUDGED: Wrong = Wrong {
    rule: "host.not_looked_up",
    remedy: "name fewer hosts in one call, and hosts whose names are soon looked up",
    certain: true,
};

/// A name to which a value leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Where the value stands in the message: a JSON Pointer (RFC 6901).
    pub(super) place: Box<str>,
    pub(super) name: Box<str>,
    /// Where it may lead.
    pub(super) network: Network,
    /// What becomes of the call if one of its addresses is not admitted, or if nobody looked in time.
    pub(super) forbidden: Consequence,
    /// What becomes of it if the name has no address.
    pub(super) unresolved: Consequence,
}

impl Name {
    /// Whether whatever comes out for one comes out for the other.
    fn asks_like(&self, other: &Name) -> bool {
        let asked = |name: &Name| (name.network, name.forbidden, name.unresolved);
        self.name == other.name && asked(self) == asked(other)
    }
}

/// The names of one call.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Name>);

impl Names {
    /// Keeps a name, one of which the same is asked only once; false if there are too many.
    pub(super) fn keep(&mut self, name: Name) -> bool {
        if self.0.iter().any(|kept| kept.asks_like(&name)) {
            return true;
        }
        let fits = self.0.len() < NAMES;
        if fits {
            self.0.push(name);
        }
        fits
    }

    /// Whether there is nothing to look up.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks the names up, until one of them refuses the call.
    pub(super) async fn look_up<'c>(
        self,
        egress: &Egress,
        content: &'c Content,
        subject: &Subject,
    ) -> Held<'c> {
        let deadline = Instant::now() + LOOKING;
        let mut held = Held::of(subject, content);
        for name in self.0 {
            let admitted = egress.admits(&name.name, name.network, deadline);
            let (wrong, consequence) = match admitted.await {
                Ok(()) => continue,
                Err(EgressError::Forbidden { .. }) => (FORBIDDEN, name.forbidden),
                Err(EgressError::Deadline) => (UNJUDGED, name.forbidden),
                Err(_) => (UNRESOLVED, name.unresolved),
            };
            held.leads(&name.place, wrong, consequence);
            if held.refused.is_some() {
                break;
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::{EgressSettings, Resolve, Resolving};
    use std::net::SocketAddr;
    use std::sync::Arc;

    fn name(name: &str, place: &str) -> Name {
        Name {
            place: place.into(),
            name: name.into(),
            network: Network::Public,
            forbidden: Consequence::Refuse,
            unresolved: Consequence::Report,
        }
    }

    #[test]
    fn n1_1_a_name_takes_room_once_and_no_more_than_there_is() {
        let mut names = Names::default();
        for at in 0..NAMES {
            assert!(names.keep(name(&format!("n{at}.example"), "/a")));
        }
        assert!(names.keep(name("n0.example", "/b")));
        assert!(!names.keep(name("other.example", "/a")));
        let declared = Name {
            unresolved: Consequence::Refuse,
            ..name("n0.example", "/c")
        };
        assert!(!names.keep(declared));
        assert_eq!(names.0.len(), NAMES);
    }

    /// A zone in which some names are never answered, some are none, and others are here or outside.
    struct Zone;

    impl Resolve for Zone {
        fn resolve(&self, host: &str, port: u16) -> Resolving {
            let address = match host {
                "slow.example" => return Box::pin(std::future::pending()),
                "outside.example" => "93.184.216.34",
                "here.example" => "127.0.0.1",
                _ => return Box::pin(async { Ok(Vec::new()) }),
            };
            let address = SocketAddr::new(address.parse().unwrap(), port);
            Box::pin(async move { Ok(vec![address]) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn n1_1_a_name_that_nobody_looked_up_in_time_is_refused_and_one_that_is_none_is_told() {
        let settings = EgressSettings {
            resolver: Arc::new(Zone),
            ..EgressSettings::default()
        };
        let egress = Egress::new(&settings).unwrap();
        let content = Content::of_nobody(config::settled::HiddenText::Remove);
        for (asked, rules, refused) in [
            (&["outside.example"][..], &[][..], false),
            (
                &["none.example", "outside.example"],
                &["host.unresolved"],
                false,
            ),
            (&["here.example"], &["host.forbidden_address"], true),
            (&["slow.example"], &["host.not_looked_up"], true),
            // The time of all of them is up.
            (
                &["slow.example", "here.example"],
                &["host.not_looked_up"],
                true,
            ),
        ] {
            let mut names = Names::default();
            for host in asked {
                assert!(names.keep(name(host, "/params/arguments/url")));
            }
            let held = names.look_up(&egress, &content, &Subject::Other).await;
            let found: Vec<_> = held.findings.iter().map(|it| &*it.rule).collect();
            assert_eq!(found, rules, "{asked:?}");
            assert_eq!(held.refused.is_some(), refused, "{asked:?}");
        }
    }
}
