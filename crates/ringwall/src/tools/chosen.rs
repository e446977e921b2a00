//! Which tools the command line names. It knows nothing of which tools there are.

use anyhow::bail;

/// What the command line names: tools, and whole servers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen(Vec<(String, Option<String>)>);

impl Chosen {
    /// Reads `SERVER/TOOL`, `SERVER TOOL TOOL` and `SERVER`. A server's name has no slash.
    pub(super) fn read(words: &[String]) -> anyhow::Result<Self> {
        let mut chosen: Vec<(String, Option<String>)> = Vec::new();
        let mut server: Option<&str> = None;
        for word in words {
            match (word.split_once('/'), server) {
                (Some((of, tool)), _) if !of.is_empty() && !tool.is_empty() => {
                    server = None;
                    chosen.push((of.to_owned(), Some(tool.to_owned())));
                }
                (Some(_), _) => bail!("`{word}` is not of the form SERVER/TOOL"),
                (None, Some(of)) => chosen.push((of.to_owned(), Some(word.clone()))),
                (None, None) => {
                    server = Some(word);
                    chosen.push((word.clone(), None));
                }
            }
        }
        // A server that is followed by tools of it names these alone.
        let with_tools: Vec<String> = chosen
            .iter()
            .filter(|(_, tool)| tool.is_some())
            .map(|(of, _)| of.clone())
            .collect();
        chosen.retain(|(of, tool)| tool.is_some() || !with_tools.contains(of));
        Ok(Chosen(chosen))
    }

    /// Whether this tool is meant. Nothing named means everything.
    pub(super) fn names(&self, server: &str, tool: &str) -> bool {
        let meant = |(of, only): &(String, Option<String>)| {
            of == server && only.as_deref().is_none_or(|only| only == tool)
        };
        self.0.is_empty() || self.0.iter().any(meant)
    }

    /// The tools, each by its full name.
    pub(super) fn tools(&self) -> anyhow::Result<Vec<(&str, &str)>> {
        if let Some((server, _)) = self.0.iter().find(|(_, tool)| tool.is_none()) {
            bail!("`{server}` names a server: name the tool as `{server}/TOOL`");
        }
        Ok(self
            .0
            .iter()
            .filter_map(|(server, tool)| Some((server.as_str(), tool.as_deref()?)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tools_however_they_are_named() {
        let read = |words: &[&str]| {
            Chosen::read(
                &words
                    .iter()
                    .map(|&word| word.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        for (words, tools) in [
            (vec!["files/read"], vec![("files", "read")]),
            (vec!["files", "read"], vec![("files", "read")]),
            (
                vec!["files", "read", "write", "clock/now"],
                vec![("files", "read"), ("files", "write"), ("clock", "now")],
            ),
            (vec!["files/a/b"], vec![("files", "a/b")]),
            (vec![], vec![]),
        ] {
            assert_eq!(read(&words).unwrap().tools().unwrap(), tools, "{words:?}");
        }
        assert!(read(&["files"]).unwrap().tools().is_err());
        assert!(read(&["files"]).unwrap().names("files", "any"));
        assert!(!read(&["files", "read"]).unwrap().names("files", "write"));
        assert!(read(&[]).unwrap().names("any", "thing"));
        for wrong in ["/read", "files/", "/"] {
            assert!(read(&[wrong]).is_err(), "{wrong}");
        }
    }
}
