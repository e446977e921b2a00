//! What lifts a forbid: written by the policy's author as `@lift("word: detail")`, read once when policies
//! are compiled, so that a lift nobody could fulfil is refused before it is in force.
//!
//! It says what has to be shown and never whether it was: that is for whoever asks the policies.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What lifts a forbid. Written as `@lift("approval: owners")`, `@lift("scope: files:write")` or
/// `@lift("step_up: acr=phr; max_age=300")`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lift {
    /// Somebody approves exactly this call. The detail says who may, in the operator's words, and how
    /// many people it takes: see [`Needs`].
    Approval(String),
    /// The token has these scopes, separated by spaces.
    Scope(String),
    /// The caller proves more about themselves: see [`StepUp`].
    StepUp(String),
}

/// Who has to approve, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Who may, in the operator's words. Policies read it as `context.needs`.
    pub who: String,
    /// How many different people it takes.
    pub people: usize,
}

/// What the caller has to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// What the configuration calls by this name.
    Named(String),
    /// This.
    Proof(Proof),
}

/// How, and how long ago at most, somebody has to have authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Values of `acr`, one of which is enough, the preferred one first; any will do if there is none.
    pub acr: Vec<String>,
    /// The authentication context of Entra ID that `acrs` has to name.
    pub acrs: Option<String>,
    /// The most seconds since then.
    pub max_age_s: Option<u64>,
}

impl Needs {
    /// The most people that one call can take.
    pub const PEOPLE_MAX: usize = 5;

    /// Reads the detail of an approval: `owners`, or `owners; people=2`.
    pub fn read(detail: &str) -> Result<Self, String> {
        let mut needs = Needs {
            who: String::new(),
            people: 1,
        };
        for (nth, part) in parts(detail).enumerate() {
            match part.split_once('=') {
                None if nth == 0 => part.clone_into(&mut needs.who),
                Some((name, value)) if name.trim() == "people" => {
                    let people = value.trim().parse().ok();
                    let people = people.filter(|people| (1..=Self::PEOPLE_MAX).contains(people));
                    needs.people = people.ok_or_else(|| {
                        format!("`people` is a number from 1 to {}", Self::PEOPLE_MAX)
                    })?;
                }
                _ => return Err(format!("`{part}` says nothing about an approval")),
            }
        }
        Ok(needs)
    }
}

impl StepUp {
    /// Values of `acr` of one proof.
    pub const ACR_MAX: usize = 16;

    /// Reads the detail of a step-up: a name, or `acr=phr phrh; max_age=300; acrs=c1`.
    pub fn read(detail: &str) -> Result<Self, String> {
        if !detail.contains(['=', ';']) {
            return match is_word(detail) {
                true => Ok(StepUp::Named(detail.to_owned())),
                false => Err("a step-up says what has to be proven".to_owned()),
            };
        }
        let mut proof = Proof::default();
        for part in parts(detail) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            let known = match name.trim() {
                "acr" => {
                    proof.acr = value.split_whitespace().map(str::to_owned).collect();
                    (1..=Self::ACR_MAX).contains(&proof.acr.len())
                        && proof.acr.iter().all(|acr| is_word(acr))
                }
                "acrs" => {
                    proof.acrs = Some(value.to_owned());
                    is_word(value)
                }
                "max_age" => {
                    proof.max_age_s = value.parse().ok();
                    proof.max_age_s.is_some()
                }
                _ => false,
            };
            if !known {
                return Err(format!("`{part}` says nothing about a step-up"));
            }
        }
        match proof == Proof::default() {
            true => Err("a step-up says what has to be proven".to_owned()),
            false => Ok(StepUp::Proof(proof)),
        }
    }
}

impl Lift {
    /// Reads the annotation, or says why it lifts nothing.
    pub(crate) fn parse(annotation: &str) -> Result<Self, String> {
        let (word, detail) = match annotation.split_once(':') {
            Some((word, detail)) => (word.trim(), detail.trim()),
            None => (annotation.trim(), ""),
        };
        match word {
            "approval" => Needs::read(detail).map(|_| Lift::Approval(detail.to_owned())),
            "scope" => match detail.split_whitespace().all(is_word) && !detail.is_empty() {
                true => Ok(Lift::Scope(detail.to_owned())),
                false => Err("a scope has no name, or no scope could have it".to_owned()),
            },
            "step_up" => StepUp::read(detail).map(|_| Lift::StepUp(detail.to_owned())),
            _ => Err("it is none of the words that lift something".to_owned()),
        }
    }

    /// In which order lifts are to be fulfilled: the caller proves more before anybody else is asked.
    pub(crate) fn turn(&self) -> u8 {
        match self {
            Lift::Scope(_) => 0,
            Lift::StepUp(_) => 1,
            Lift::Approval(_) => 2,
        }
    }
}

impl fmt::Display for Lift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, detail) = match self {
            Lift::Approval(detail) => ("approval", detail),
            Lift::Scope(detail) => ("scope", detail),
            Lift::StepUp(detail) => ("step_up", detail),
        };
        match detail.as_str() {
            "" => f.write_str(word),
            detail => write!(f, "{word}: {detail}"),
        }
    }
}

fn parts(detail: &str) -> impl Iterator<Item = &str> {
    let parts = detail.split(';').map(str::trim);
    parts.filter(|part| !part.is_empty())
}

/// What can stand in a challenge as it is: the characters of a scope (RFC 6749, section 3.3).
fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    !text.is_empty() && text.len() <= 256 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lifts_with_and_without_detail() {
        for (written, expected) in [
            ("step_up: phr", Some(Lift::StepUp("phr".into()))),
            ("step_up: acr=phr", Some(Lift::StepUp("acr=phr".into()))),
            ("approval", Some(Lift::Approval(String::new()))),
            ("approval:owners", Some(Lift::Approval("owners".into()))),
            ("scope: a:b c", Some(Lift::Scope("a:b c".into()))),
            ("scope", None),
            ("scope: \"", None),
            ("step_up", None),
            ("approve", None),
            ("", None),
        ] {
            assert_eq!(Lift::parse(written).ok(), expected, "{written}");
        }
    }

    #[test]
    fn reads_who_has_to_approve() {
        let check = |detail: &str, expected: Option<(&str, usize)>| {
            let needs = Needs::read(detail).ok();
            let read = needs.as_ref().map(|needs| (&*needs.who, needs.people));
            assert_eq!(read, expected, "{detail}");
        };
        check("", Some(("", 1)));
        check("owners", Some(("owners", 1)));
        check(
            "owners of the bank; people=2",
            Some(("owners of the bank", 2)),
        );
        check("people = 5", Some(("", 5)));
        check("owners; people=0", None);
        check("owners; people=6", None);
        check("owners; people=two", None);
        check("owners; others", None);
        check("owners; person=2", None);
    }

    #[test]
    fn reads_what_has_to_be_proven() {
        let check = |detail: &str, expected: Option<StepUp>| {
            assert_eq!(StepUp::read(detail).ok(), expected, "{detail}");
        };
        let proof = |acr: &[&str], acrs: Option<&str>, max_age_s| {
            Some(StepUp::Proof(Proof {
                acr: acr.iter().map(|&acr| acr.to_owned()).collect(),
                acrs: acrs.map(str::to_owned),
                max_age_s,
            }))
        };
        check("mfa", Some(StepUp::Named("mfa".into())));
        check(
            "acr=phr phrh; max_age=300",
            proof(&["phr", "phrh"], None, Some(300)),
        );
        check("max_age=0", proof(&[], None, Some(0)));
        check("acr=urn:a:b;acrs=c1", proof(&["urn:a:b"], Some("c1"), None));
        for wrong in [
            "",
            "two words",
            "acr=",
            "acr=\"",
            "max_age=x",
            "max_age=-1",
            "level=3",
            ";",
            "acrs=a b",
        ] {
            check(wrong, None);
        }
    }
}
