//! Packs of rules: those that come with Ringwall, and those that operators name, each with a detached
//! signature of whoever they trust for it. A pack whose signature, form or examples are wrong is not
//! taken, and neither is the configuration that names it.

use super::sought::Ignored;
use audit::PublicKey;
use config::Settled;
use config::settled::RulePack;
use inspect::data::pack::{self, Pack};
use inspect::data::{Rules, Unfit};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// A signature is 128 digits; what is larger is something else.
const SIGNATURE: usize = 256;

/// Why a pack is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Its rules are wrong, or do not do what its examples say.
    #[error("rule pack `{}`: {flaws}", path.display())]
    Flawed {
        /// The file.
        path: PathBuf,
        /// What is wrong, a line each.
        flaws: String,
    },
    /// The key is none.
    #[error("the key of rule pack `{}`: {error}", path.display())]
    Key {
        /// The file of the pack.
        path: PathBuf,
        /// What is wrong.
        error: audit::KeyError,
    },
    /// Rules of several packs do not fit together.
    #[error("the rule packs: {0}")]
    Unfit(#[from] Unfit),
    /// A file cannot be read.
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Nobody who is trusted for it signed it.
    #[error("rule pack `{}`: `{}.sig` is not its signature by this key: sign it again with `ringwall rules sign`", path.display(), path.display())]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
}

/// Reads every pack that a configuration names, verifies its signature and tries its examples.
pub(crate) fn read(settled: &mut Settled) -> Result<(), PackError> {
    for pack in settled.packs() {
        let text = verified(&pack.file, &pack.key)?;
        Pack::prove(&text).map_err(|flaws| PackError::Flawed {
            path: pack.file.clone(),
            flaws: lines(&flaws),
        })?;
        pack.text = Some(text.into());
    }
    Ok(())
}

fn lines(flaws: &[pack::Flaw]) -> String {
    let lines: Vec<_> = flaws.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The text of a pack, if its signature is that of this key over these very bytes.
fn verified(file: &Path, key: &Path) -> Result<String, PackError> {
    let key = PublicKey::load(key).map_err(|error| PackError::Key {
        path: file.to_owned(),
        error,
    })?;
    let bytes = bounded(file, pack::BYTES)?;
    let mut signature = file.as_os_str().to_owned();
    signature.push(".sig");
    let signature = bounded(Path::new(&signature), SIGNATURE)?;
    let unsigned = || PackError::Unsigned {
        path: file.to_owned(),
    };
    if !key.verifies(&bytes, signature.trim_ascii()) {
        return Err(unsigned());
    }
    String::from_utf8(bytes).map_err(|_| unsigned())
}

fn bounded(path: &Path, most: usize) -> Result<Vec<u8>, PackError> {
    super::super::bounded_file(path, most).map_err(|error| PackError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// The texts of packs, what of them is ignored, and the rules that were made of the rest.
type Made = (Vec<Arc<str>>, Ignored, Weak<Rules>);

/// Rules that are in use: routes that use the same packs, and ignore the same, share them.
static IN_USE: Mutex<Vec<Made>> = Mutex::new(Vec::new());

/// The rules of the packs that come with Ringwall and of these, without those that find what is ignored.
pub(super) fn rules(packs: &[RulePack], ignored: &Ignored) -> Result<Arc<Rules>, PackError> {
    let texts: Vec<Arc<str>> = packs.iter().filter_map(|pack| pack.text.clone()).collect();
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    in_use.retain(|(_, _, rules)| rules.strong_count() > 0);
    let known = in_use
        .iter()
        .find(|(known, passed, _)| *known == texts && passed == ignored);
    if let Some(rules) = known.and_then(|(_, _, rules)| rules.upgrade()) {
        return Ok(rules);
    }
    let flawed = |flaws: Vec<pack::Flaw>| PackError::Flawed {
        path: PathBuf::new(),
        flaws: lines(&flaws),
    };
    let mut all = Pack::built_in().map_err(flawed)?;
    for text in &texts {
        all.push(Pack::read(text).map_err(flawed)?);
    }
    let made = Rules::of(all, |rule| !ignored.passes(rule))?;
    in_use.push((texts, ignored.clone(), Arc::downgrade(&made)));
    Ok(made)
}

/// The rules that come with Ringwall, for as long as it runs.
static OWN: OnceLock<Arc<Rules>> = OnceLock::new();

/// Every set of rules that is in use somewhere, that which comes with Ringwall among them; each in full, since
/// whoever ignores something has the full one as well.
pub(super) fn in_use() -> Result<Vec<Arc<Rules>>, PackError> {
    if OWN.get().is_none() {
        // Whoever else was first made the same.
        let _ = OWN.set(rules(&[], &Ignored::default())?);
    }
    let in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let full = in_use.iter().filter(|(_, it, _)| *it == Ignored::default());
    Ok(full.filter_map(|(_, _, it)| it.upgrade()).collect())
}
