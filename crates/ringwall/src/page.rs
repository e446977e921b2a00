//! What a command prints: a text that is put together first and written once. A reader who has seen
//! enough and closes the pipe is no error.

use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const TITLE: Style = Style::new().bold();
pub(crate) const PLAIN: Style = Style::new();

/// Writes to standard output; colours are left out where no terminal shows them.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    offer(text).map(|_| ())
}

/// The same, and whether anybody still reads.
pub(crate) fn offer(text: &str) -> anyhow::Result<bool> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Columns that line up. The last one is as wide as it likes.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One field of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Text of ours in this style.
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Cell {
            text: text.into(),
            style,
        }
    }

    /// Text of somebody else, with nothing hidden in it, and no longer than so many characters.
    pub(crate) fn foreign(text: &str, most: usize) -> Self {
        Cell::new(short(&crate::visible::visible(text), most), PLAIN)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::new(text, PLAIN)
    }
}

impl Table {
    /// A table with this head.
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Table {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows alone, as wide as they happen to be, for a table that goes on for ever.
    pub(crate) fn body(&self, widths: &[usize]) -> String {
        let mut text = String::new();
        for row in &self.rows {
            line(&mut text, row, widths);
        }
        text
    }

    /// How wide each column is.
    pub(crate) fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|title| title.len()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        widths
    }

    /// The head, underlined by its style.
    pub(crate) fn title(&self, widths: &[usize]) -> String {
        let head: Vec<Cell> = self
            .head
            .iter()
            .map(|title| Cell::new(*title, TITLE))
            .collect();
        let mut text = String::new();
        line(&mut text, &head, widths);
        text
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widths = self.widths();
        f.write_str(&self.title(&widths))?;
        f.write_str(&self.body(&widths))
    }
}

fn line(text: &mut String, row: &[Cell], widths: &[usize]) {
    let last = row.len().saturating_sub(1);
    for (at, cell) in row.iter().enumerate() {
        let Cell { text: said, style } = cell;
        let width = widths.get(at).copied().unwrap_or_default();
        let room = if at == last {
            0
        } else {
            width.saturating_sub(said.chars().count()) + 2
        };
        let _ = write!(text, "{style}{said}{style:#}{:room$}", "");
    }
    let end = text.trim_end_matches(' ').len();
    text.truncate(end);
    text.push('\n');
}

/// The beginning of a text, and a mark if there is more.
pub(crate) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(most.saturating_sub(1))
            .chain(std::iter::once('…'))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let mut table = Table::new(&["WHO", "WHAT"]);
        table.row(vec!["ada".into(), Cell::foreign("read\u{202e}", 40)]);
        table.row(vec!["grace".into(), "".into()]);
        assert_eq!(
            anstream::adapter::strip_str(&table.to_string()).to_string(),
            "WHO    WHAT\nada    read\\u{202e}\ngrace\n"
        );
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        for (text, shown) in [("abc", "abc"), ("abcd", "ab…"), ("äöüß", "äö…"), ("", "")]
        {
            assert_eq!(short(text, 3), shown);
        }
    }
}
