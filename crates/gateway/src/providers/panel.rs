//! The detectors that are heard about one server's messages, and what they say comes to: each rule in
//! its mode. Those that compute here are heard first; nothing is sent to anybody over a message that
//! they have refused already.

use super::opinion::{Opinion, Surface};
use super::provider::{Heard, Provider, Said};
use super::reading::Reading;
use super::silence::Silence;
use config::settled::OnFailure;
use controls::{Mode, Score};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A detector that computes on this machine: it waits for nothing, sends nothing, and takes time in
/// proportion to the text. How it cuts long texts is its own business.
pub trait Local: fmt::Debug + Send + Sync {
    /// Its name, as records have it.
    fn name(&self) -> &str;
    /// What it thinks of the texts of one message: one word for each of its rules. Whoever wants to look
    /// behind what is written asks for [`Reading::views`].
    fn judge(&self, surface: Surface, reading: &Reading) -> Vec<Said>;
}

/// Who says how suspicious a message is.
#[derive(Clone, Debug)]
pub enum Detector {
    /// It computes here.
    Local(Arc<dyn Local>),
    /// It is asked over the network.
    Remote(Arc<Provider>),
}

/// A detector on a panel.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who it is.
    pub detector: Detector,
    /// What it is heard about.
    pub on: Vec<Surface>,
    /// What its suspicions come to, where their rule has no mode of its own.
    pub mode: Mode,
}

/// The detectors of one server on one route.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    members: Vec<Member>,
    modes: BTreeMap<String, Mode>,
}

/// What was said of a message.
#[derive(Debug, Default)]
pub struct Hearing {
    /// What each detector said, in the order of the panel.
    pub scores: Vec<Score>,
    /// Who said nothing, or not all.
    pub silences: Vec<Quiet>,
}

/// A detector that said nothing, or not all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Its name.
    pub detector: Arc<str>,
    /// Why.
    pub why: Silence,
    /// What it means.
    pub then: OnFailure,
}

impl Panel {
    /// A panel of these, with the modes of single rules.
    pub fn new(members: Vec<Member>, modes: BTreeMap<String, Mode>) -> Self {
        Panel { members, modes }
    }

    /// Whether anybody is heard about this.
    pub fn hears(&self, surface: Surface) -> bool {
        self.heard(surface).next().is_some()
    }

    /// Whether what anybody says about this may change what becomes of a message. Where every rule is in
    /// `shadow`, it is only written down.
    pub fn matters(&self, surface: Surface) -> bool {
        self.heard(surface).any(|member| self.is_heeded(member))
    }

    fn heard(&self, surface: Surface) -> impl Iterator<Item = &Member> {
        let members = self.members.iter();
        members.filter(move |it| surface.is_among(&it.on))
    }

    /// Everybody on it.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Hears everybody about a message.
    pub async fn hear(&self, surface: Surface, reading: &Arc<Reading>) -> Hearing {
        let mut hearing = Hearing::default();
        if reading.is_empty() {
            return hearing;
        }
        let mut asking = JoinSet::new();
        let mut remote = Vec::new();
        for member in self.heard(surface) {
            match &member.detector {
                Detector::Local(local) => {
                    let said = local.judge(surface, reading);
                    let name: Arc<str> = local.name().into();
                    hearing.take(self.scores(member, (&name, surface), said));
                }
                Detector::Remote(provider) => remote.push((member, provider)),
            }
        }
        if hearing.refusing().is_some() {
            return hearing;
        }
        for (turn, (_, provider)) in remote.iter().enumerate() {
            let (provider, reading) = (Arc::clone(provider), Arc::clone(reading));
            asking.spawn(async move { (turn, provider.judge(surface, &reading).await) });
        }
        let mut heard: BTreeMap<usize, Heard> = BTreeMap::new();
        while let Some(done) = asking.join_next().await {
            heard.extend(done.ok());
        }
        for (turn, (member, provider)) in remote.into_iter().enumerate() {
            let Heard { said, silence } = heard.remove(&turn).unwrap_or(Heard {
                said: Vec::new(),
                silence: Some(Silence::Unreachable),
            });
            hearing.take(self.scores(member, (provider.name(), surface), said));
            hearing.silences.extend(silence.map(|why| Quiet {
                detector: Arc::clone(provider.name()),
                why,
                then: self.then(member, provider),
            }));
        }
        hearing
    }

    /// What a suspicion of this member under this rule comes to.
    fn mode(&self, member: &Member, rule: &str) -> Mode {
        self.modes.get(rule).copied().unwrap_or(member.mode)
    }

    /// What it means that this one says nothing. Where nothing it could have said would change anything,
    /// its silence does not either.
    fn then(&self, member: &Member, provider: &Provider) -> OnFailure {
        match self.is_heeded(member) {
            true => provider.on_failure(),
            false => OnFailure::Allow,
        }
    }

    /// Whether some rule it may speak of is in another mode than `shadow`.
    fn is_heeded(&self, member: &Member) -> bool {
        let rules = match &member.detector {
            Detector::Remote(provider) => provider.rules(),
            Detector::Local(_) => None,
        };
        match rules {
            Some(rules) => rules
                .iter()
                .any(|rule| self.mode(member, rule) > Mode::Shadow),
            None => {
                member.mode > Mode::Shadow || self.modes.values().any(|mode| *mode > Mode::Shadow)
            }
        }
    }

    fn scores(
        &self,
        member: &Member,
        (name, surface): (&Arc<str>, Surface),
        said: Vec<Said>,
    ) -> Vec<Score> {
        let each = said.into_iter().map(|said| Score {
            control: Opinion::control(&said.opinion.rule, surface),
            detector: name.to_string().into(),
            mode: self.mode(member, &said.opinion.rule),
            rule: said.opinion.rule,
            value: said.opinion.value,
            threshold: said.threshold,
            place: said.place.into(),
        });
        each.collect()
    }
}

impl Hearing {
    fn take(&mut self, scores: Vec<Score>) {
        self.scores.extend(scores);
    }

    /// The score that the message is refused for, if it is.
    pub fn refusing(&self) -> Option<&Score> {
        self.scores.iter().find(|score| score.refuses())
    }

    /// The detector without whose word the message goes no further, if there is one.
    pub fn missing(&self) -> Option<&Quiet> {
        let mut silences = self.silences.iter();
        silences.find(|quiet| quiet.then == OnFailure::Refuse)
    }
}
