//! The house rules, as far as a machine can hold them. Every rule is a pure function from text to
//! complaints, tested on small texts of its own; this file only walks the tree.

mod house;
mod names;
mod prose;
mod source;

use anyhow::{Context as _, Result, bail};
use std::fmt;
use std::fs;
use std::path::Path;

/// Folders that hold nothing we wrote.
const FOREIGN: &[&str] = &[
    ".git",
    ".deps",
    "target",
    "node_modules",
    "corpus",
    "artifacts",
    "out",
];

/// Kinds of files that are read. Everything else is data.
const READ: &[&str] = &[
    "cedar", "js", "json", "md", "mjs", "py", "rs", "sh", "toml", "txt", "yaml", "yml",
];

/// A file of the tree: its path from the root, with `/`, and its text.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == extension)
    }

    fn complain(&self, line: usize, message: impl Into<String>) -> Complaint {
        Complaint {
            path: self.path.clone(),
            line,
            message: message.into(),
        }
    }
}

/// A rule that was broken, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Reads the tree and applies every rule.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let mut complaints: Vec<Complaint> = files.iter().flat_map(of_one).collect();
    complaints.extend(house::changelog(&files));
    complaints.extend(house::decisions(&files));
    complaints.extend(house::examples(&files));
    complaints.extend(prose::links(&files, &|path| root.join(path).exists()));
    complaints.extend(names::lessons(&files));
    complaints.extend(source::excuses(&files));
    complaints.extend(source::stale_exceptions(&files));
    complaints.sort();
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => {
            println!("{} files are tidy", files.len());
            Ok(())
        }
        count => bail!("{count} house rules are broken"),
    }
}

/// The rules that need one file only.
fn of_one(file: &File) -> Vec<Complaint> {
    let mut complaints = prose::whitespace(file);
    complaints.extend(prose::forbidden(file));
    complaints.extend(names::in_documents(file));
    if file.is("rs") {
        complaints.extend(source::opens_with_its_purpose(file));
        complaints.extend(source::length(file));
        complaints.extend(source::functions(file));
        complaints.extend(source::place(file));
        complaints.extend(names::in_tests(file));
    }
    complaints
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !FOREIGN.contains(&name.as_str()) {
                walk(root, &path, files)?;
            }
            continue;
        }
        let extension = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let read = READ.contains(&extension.as_str()) || path.ends_with(".ci/run");
        if !read || name == "Cargo.lock" {
            continue;
        }
        let relative = path
            .strip_prefix(root)?
            .to_string_lossy()
            .replace('\\', "/");
        // Fixtures and fuzz seeds may be anything, even no text.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        if !relative.contains("/fixtures/") && !relative.starts_with("fuzz/seeds/") {
            files.push(File {
                path: relative,
                text,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// The lines complained about, for tests.
#[cfg(test)]
pub(crate) fn lines(complaints: &[Complaint]) -> Vec<usize> {
    complaints.iter().map(|complaint| complaint.line).collect()
}
