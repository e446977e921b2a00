//! Reads a configuration and its policies from the disk, and what was approved where that makes a setting
//! worth a second look. The only place that does: everything else is handed the settled configuration.

use config::settled::Settled;
use config::{Problem, Severity};
use policy::Source;
use std::fmt;
use std::path::{Path, PathBuf};

/// A configuration that may run.
#[derive(Debug)]
pub struct Loaded {
    /// What it means, with every path resolved against the folder of its file.
    pub settled: Settled,
    /// The policies it names.
    pub policies: Vec<Source>,
    /// Those of administration: the ones it names, or the built-in ones.
    pub administration: Vec<Source>,
    /// What is allowed and worth a second look.
    pub warnings: Vec<Problem>,
}

/// Why a configuration may not run.
#[derive(Debug)]
pub enum LoadError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A pack of rules that it names is not taken.
    Pack(crate::content::PackError),
    /// A schema in a file of its own is not taken.
    Schema(crate::content::SchemaFileError),
    /// It is wrong in these places.
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// A pattern of policy files matches nothing: a policy that is not there forbids nothing.
    NoPolicies {
        /// The pattern.
        pattern: String,
    },
}

impl std::error::Error for LoadError {}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Unreadable { path, error } => {
                write!(f, "cannot read `{}`: {error}", path.display())
            }
            LoadError::NoPolicies { pattern } => {
                write!(
                    f,
                    "no policy file matches `{pattern}`: correct `policies`, or add the file"
                )
            }
            LoadError::Pack(error) => error.fmt(f),
            LoadError::Schema(error) => error.fmt(f),
            LoadError::Wrong { path, problems } => {
                let name = path.display().to_string();
                for (at, problem) in problems.iter().enumerate() {
                    let line = if at > 0 { "\n" } else { "" };
                    write!(f, "{line}{}", problem.in_file(&name))?;
                }
                Ok(())
            }
        }
    }
}

/// Reads the file, settles it and reads the policies it names.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let (mut settled, warnings) = settled(path, |settled, folder| {
        let data = folder.join(&settled.data);
        let squats = crate::squats::problems(settled);
        let misfits = crate::misfits::problems(settled, &data);
        let unheeded = crate::unheeded::problems(settled);
        let all = squats.into_iter().chain(misfits).chain(unheeded);
        all.collect()
    })?;
    crate::content::read_packs(&mut settled).map_err(LoadError::Pack)?;
    crate::content::read_schemas(&mut settled).map_err(LoadError::Schema)?;
    let administration = match &settled.administration {
        Some(own) if !own.policies.is_empty() => policies(&own.policies)?,
        _ => vec![policy::Administration::built_in()],
    };
    let policies = policies(&settled.policies)?;
    debug_assert!(
        warnings
            .iter()
            .all(|problem| problem.severity == Severity::Warning)
    );
    Ok(Loaded {
        settled,
        policies,
        administration,
        warnings,
    })
}

/// The patterns of all other files that the configuration in this file names, whether or not they are there:
/// policies, schemas, and packs of rules with their signatures.
pub fn files(path: &Path) -> Result<Vec<String>, LoadError> {
    let (mut settled, _) = settled(path, |settled, _| crate::squats::problems(settled))?;
    let packs = settled.packs().flat_map(|pack| {
        let file = pack.file.to_string_lossy();
        // A pack is signed last.
        [format!("{file}.sig"), file.into_owned()]
    });
    let mut files: Vec<String> = packs.collect();
    let schemas = settled.schema_files();
    files.extend(schemas.map(|schema| schema.file.to_string_lossy().into_owned()));
    files.extend(settled.policies);
    files.extend(
        settled
            .administration
            .into_iter()
            .flat_map(|it| it.policies),
    );
    Ok(files)
}

/// What the file says, with every path resolved against its folder, and what else there is to say of that.
fn settled(
    path: &Path,
    more: impl FnOnce(&Settled, &Path) -> Vec<Problem>,
) -> Result<(Settled, Vec<Problem>), LoadError> {
    let text = read(path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let said = config::load_told(&text, |settled| more(settled, folder));
    let (settled, warnings) = said.map_err(|problems| LoadError::Wrong {
        path: path.to_owned(),
        problems,
    })?;
    Ok((settled.rooted_at(folder), warnings))
}

/// Reads every file these patterns name, in the order of their names.
pub fn policies(patterns: &[String]) -> Result<Vec<Source>, LoadError> {
    let mut sources = Vec::new();
    for pattern in patterns {
        let files = matching(Path::new(pattern))?;
        if files.is_empty() {
            return Err(LoadError::NoPolicies {
                pattern: pattern.clone(),
            });
        }
        for file in files {
            let text = read(&file)?;
            sources.push(Source {
                name: file.display().to_string(),
                text,
            });
        }
    }
    Ok(sources)
}

/// Whether a change of this file can matter: the configuration itself, a policy it names, or the
/// link by which a mounted folder is swapped as a whole.
pub fn matters(configuration: &Path, patterns: &[String], changed: &Path) -> bool {
    let Some(name) = changed.file_name() else {
        return false;
    };
    let is_policy = |pattern: &String| {
        let pattern = Path::new(pattern)
            .file_name()
            .and_then(|name| name.to_str());
        pattern.is_some_and(|pattern| fits(pattern, &name.to_string_lossy()))
    };
    Some(name) == configuration.file_name() || name == "..data" || patterns.iter().any(is_policy)
}

/// Whether a name fits a pattern with at most one `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// The files a pattern names: one `*` may stand in the last part.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let name = pattern
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if !name.contains('*') {
        return Ok(vec![pattern.to_owned()]);
    }
    let folder = pattern.parent().unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).map_err(|error| LoadError::Unreadable {
        path: folder.to_owned(),
        error,
    })?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let found = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            fits(name, found) && path.is_file()
        })
        .collect();
    files.sort_unstable();
    Ok(files)
}

fn read(path: &Path) -> Result<String, LoadError> {
    std::fs::read_to_string(path).map_err(|error| LoadError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_files_in_order_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.cedar", "a.cedar", "notes.txt", ".cedar"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let pattern = folder.path().join("*.cedar").display().to_string();
        let names: Vec<String> = policies(&[pattern])
            .unwrap()
            .into_iter()
            .map(|source| source.name)
            .collect();
        let ends: Vec<&str> = names
            .iter()
            .map(|name| name.rsplit('/').next().unwrap())
            .collect();
        assert_eq!(ends, [".cedar", "a.cedar", "b.cedar"]);
        assert!(policies(&[folder.path().join("*.missing").display().to_string()]).is_err());
        assert!(policies(&[folder.path().join("gone.cedar").display().to_string()]).is_err());
    }
}
