//! Joined lists between two of their pages. Whoever was given a page goes on in the list it was cut from,
//! so that no server is asked again for each page. A list is kept for a short while and within a bound; one
//! that is here no more is asked for anew. It is shown to nobody but those it was joined for, and only
//! while everything it was joined by is as it was.

use crate::small::lock;
use policy::{Policies, Principal};
use protocol::Revision;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

/// The lists that somebody may go on with.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    kept: Mutex<Kept>,
}

/// The oldest first.
#[derive(Debug, Default)]
struct Kept {
    lists: VecDeque<(u64, Arc<List>)>,
    bytes: usize,
    last: u64,
}

/// A list that several servers fill, and on what terms.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) terms: Terms,
    pub(crate) whole: Arc<Whole>,
    /// When it is kept no longer, in milliseconds since the Unix epoch.
    pub(crate) until_ms: u64,
}

/// All of a list.
#[derive(Debug)]
pub(crate) struct Whole {
    /// What is listed, each as it goes out.
    pub(crate) items: Vec<Box<str>>,
    /// The servers that are left out, each with the reason.
    pub(crate) missing: Vec<(Arc<str>, &'static str)>,
}

/// Whom a list was joined for, and by what.
pub(crate) struct Terms {
    pub(crate) principal: Principal,
    /// Those in force. A list keeps no others in memory.
    pub(crate) policies: Weak<Policies>,
    pub(crate) session: Box<str>,
    pub(crate) method: &'static str,
    pub(crate) revision: Revision,
    /// The servers that the caller may use, by their place on the route.
    pub(crate) servers: Box<[usize]>,
    /// How often there was reason to doubt what those offer.
    pub(crate) doubts: u64,
}

/// Where a list goes on: a place in it, and its number if it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: usize,
    pub(crate) list: Option<u64>,
}

impl Lists {
    /// How long a list is kept, in milliseconds: a client that wants all of it asks on at once.
    pub(crate) const KEPT_MS: u64 = 60 * 1000;
    /// What all that are kept may come to, in bytes.
    pub(crate) const BYTES: usize = 64 * 1024 * 1024;
    /// How many are kept at most.
    pub(crate) const MOST: usize = 1024;

    /// Keeps a list, in the place of the one that its client had under way, and says its number.
    pub(crate) fn keep(&self, list: Arc<List>, now_ms: u64) -> Option<u64> {
        let bytes = list.bytes();
        if bytes > Self::BYTES {
            return None;
        }
        let mut kept = lock(&self.kept);
        kept.drop_if(|old| old.until_ms <= now_ms || old.terms.is_of_one_list(&list.terms));
        while kept.bytes + bytes > Self::BYTES || kept.lists.len() >= Self::MOST {
            let (_, oldest) = kept.lists.pop_front()?;
            kept.bytes = kept.bytes.saturating_sub(oldest.bytes());
        }
        kept.last += 1;
        kept.bytes += bytes;
        let number = kept.last;
        kept.lists.push_back((number, list));
        Some(number)
    }

    /// The list of this number, if it is here, still in its time, and was joined on these terms.
    pub(crate) fn find(&self, number: u64, terms: &Terms, now_ms: u64) -> Option<Arc<List>> {
        let kept = lock(&self.kept);
        let mut lists = kept.lists.iter();
        let (_, list) = lists.find(|(of, _)| *of == number)?;
        (list.until_ms > now_ms && list.terms == *terms).then(|| Arc::clone(list))
    }

    /// Forgets a list whose last page was given.
    pub(crate) fn forget(&self, list: &Arc<List>) {
        lock(&self.kept).drop_if(|kept| std::ptr::eq(kept, &**list));
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        lock(&self.kept).bytes
    }
}

impl Kept {
    fn drop_if(&mut self, goes: impl Fn(&List) -> bool) {
        self.lists.retain(|(_, list)| {
            let stays = !goes(list);
            if !stays {
                self.bytes = self.bytes.saturating_sub(list.bytes());
            }
            stays
        });
    }
}

impl List {
    fn bytes(&self) -> usize {
        let items = self.whole.items.iter();
        items.map(|item| item.len() + size_of::<Box<str>>()).sum()
    }
}

impl Terms {
    /// Whether these are terms of the same list of the same client, whatever else has changed.
    fn is_of_one_list(&self, other: &Terms) -> bool {
        self.principal.id() == other.principal.id()
            && self.session == other.session
            && self.method == other.method
    }
}

/// Policies that were compiled again are others, whatever they say.
impl PartialEq for Terms {
    fn eq(&self, other: &Self) -> bool {
        self.is_of_one_list(other)
            && self.principal == other.principal
            && Weak::ptr_eq(&self.policies, &other.policies)
            && self.revision == other.revision
            && self.servers == other.servers
            && self.doubts == other.doubts
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("method", &self.method)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// As it stands in a cursor.
    pub(crate) fn to_payload(self) -> String {
        match self.list {
            Some(list) => format!("{}.{list}", self.at),
            None => self.at.to_string(),
        }
    }

    /// The place that a cursor says. It was sealed, so nobody else wrote it.
    pub(crate) fn of_payload(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let (at, list) = match text.split_once('.') {
            Some((at, list)) => (at, Some(list.parse().ok()?)),
            None => (text, None),
        };
        Some(Place {
            at: at.parse().ok()?,
            list,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn principal(user: &str, scopes: &[&str]) -> Principal {
        let caller = policy::Caller {
            issuer: "corp".into(),
            user: user.into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..policy::Caller::default()
        };
        Principal::new(caller).unwrap()
    }

    fn policies() -> Arc<Policies> {
        Arc::new(Policies::compile(&[], &policy::Catalog::default()).unwrap())
    }

    fn terms(policies: &Arc<Policies>) -> Terms {
        Terms {
            principal: principal("alice", &[]),
            policies: Arc::downgrade(policies),
            session: "s".into(),
            method: "tools/list",
            revision: Revision::V2025_11_25,
            servers: [0, 1].into(),
            doubts: 2,
        }
    }

    fn list(terms: Terms, bytes: usize) -> Arc<List> {
        Arc::new(List {
            terms,
            whole: Arc::new(Whole {
                items: vec!["x".repeat(bytes).into()],
                missing: Vec::new(),
            }),
            until_ms: NOW + Lists::KEPT_MS,
        })
    }

    #[test]
    fn n2_2_a_kept_list_is_shown_on_the_very_terms_it_was_joined_on_and_on_no_others() {
        let (lists, policies) = (Lists::default(), policies());
        let number = lists.keep(list(terms(&policies), 1), NOW).unwrap();
        let found = |terms: &Terms, now| lists.find(number, terms, now).is_some();
        assert!(found(&terms(&policies), NOW));
        assert!(lists.find(number + 1, &terms(&policies), NOW).is_none());
        assert!(!found(&terms(&policies), NOW + Lists::KEPT_MS));
        let changes: [fn(Terms) -> Terms; 8] = [
            |it| Terms {
                principal: principal("bob", &[]),
                ..it
            },
            |it| Terms {
                principal: principal("alice", &["more"]),
                ..it
            },
            |it| Terms {
                policies: Weak::new(),
                ..it
            },
            |it| Terms {
                session: "t".into(),
                ..it
            },
            |it| Terms {
                method: "prompts/list",
                ..it
            },
            |it| Terms {
                revision: Revision::V2026_07_28,
                ..it
            },
            |it| Terms {
                servers: [0].into(),
                ..it
            },
            |it| Terms { doubts: 3, ..it },
        ];
        for (row, change) in changes.into_iter().enumerate() {
            assert!(!found(&change(terms(&policies)), NOW), "{row}");
        }
    }

    #[test]
    fn n4_3_kept_lists_are_bounded_and_a_client_has_one_of_a_kind() {
        let (lists, policies) = (Lists::default(), policies());
        let of = |session: usize, bytes| {
            let session = session.to_string().into();
            list(
                Terms {
                    session,
                    ..terms(&policies)
                },
                bytes,
            )
        };
        let quarter = Lists::BYTES / 4;
        let first = lists.keep(of(0, quarter), NOW).unwrap();
        let again = lists.keep(of(0, quarter), NOW).unwrap();
        let kept = |number, session: usize| {
            let session = session.to_string().into();
            let terms = Terms {
                session,
                ..terms(&policies)
            };
            lists.find(number, &terms, NOW).is_some()
        };
        assert_eq!((kept(first, 0), kept(again, 0)), (false, true));
        assert!(lists.keep(of(1, Lists::BYTES), NOW).is_none());
        // The oldest make room.
        let others: Vec<u64> = (1..=4)
            .map(|n| lists.keep(of(n, quarter), NOW).unwrap())
            .collect();
        assert!(!kept(again, 0) && kept(others[3], 4));
        assert!(lists.bytes() <= Lists::BYTES);
        // Those whose time has come do so first.
        lists.keep(of(9, 1), NOW + Lists::KEPT_MS).unwrap();
        assert!(lists.bytes() < 100);
        for n in 0..2 * Lists::MOST {
            lists.keep(of(n, 1), NOW).unwrap();
        }
        assert_eq!(lock(&lists.kept).lists.len(), Lists::MOST);
    }

    #[test]
    fn a_list_that_was_given_to_its_end_is_forgotten() {
        let (lists, policies) = (Lists::default(), policies());
        let list = list(terms(&policies), 10);
        let number = lists.keep(Arc::clone(&list), NOW).unwrap();
        lists.forget(&list);
        assert!(lists.find(number, &terms(&policies), NOW).is_none());
        assert_eq!(lists.bytes(), 0);
    }

    #[test]
    fn a_place_reads_as_it_was_written_and_nothing_else_does() {
        for list in [None, Some(7)] {
            let place = Place { at: 1000, list };
            assert_eq!(
                Place::of_payload(place.to_payload().as_bytes()),
                Some(place)
            );
        }
        for wrong in ["", ".", "1.", ".1", "a", "1.b", "1.2.3", "-1"] {
            assert_eq!(Place::of_payload(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
