//! Records as lines of a table: when, how it ended, who, what, and why not.

use crate::instant;
use crate::page::{BAD, CARE, Cell, FAINT, GOOD, Table};
use audit::{Content, Entry, OwnedRecord, Verdict};

const HEAD: [&str; 8] = [
    "TIME", "VERDICT", "WHO", "METHOD", "SUBJECT", "CONTROL", "ID", "REASON",
];

/// Records one after the other, with columns that stay where they are once they are wide enough.
#[derive(Debug, Default)]
pub(super) struct Lines {
    widths: Vec<usize>,
}

impl Lines {
    /// These records with a head.
    pub(super) fn page(&mut self, entries: &[Entry]) -> String {
        let table = table(entries);
        if table.is_empty() {
            return "no record\n".to_owned();
        }
        self.widths = table.widths();
        table.to_string()
    }

    /// One more record, without a head.
    pub(super) fn one(&mut self, entry: &Entry) -> String {
        let table = table(std::slice::from_ref(entry));
        let fit = table.widths();
        self.widths.resize(fit.len(), 0);
        for (width, fit) in self.widths.iter_mut().zip(fit) {
            *width = (*width).max(fit);
        }
        table.body(&self.widths)
    }
}

fn table(entries: &[Entry]) -> Table {
    let mut table = Table::new(&HEAD);
    for entry in entries {
        if let Content::Record(record) = &entry.content {
            table.row(row(record));
        }
    }
    table
}

fn row(record: &OwnedRecord) -> Vec<Cell> {
    let text = |text: &Option<std::borrow::Cow<'_, str>>, most: usize| {
        Cell::foreign(text.as_deref().unwrap_or("-"), most)
    };
    let style = match record.verdict {
        Verdict::Allowed => GOOD,
        Verdict::Failed => CARE,
        Verdict::Refused => BAD,
    };
    let refusal = record.refusal.as_ref();
    let found = || record.findings.first().map(|finding| &*finding.control);
    let control = refusal
        .map(|refusal| &*refusal.control)
        .or_else(found)
        .unwrap_or("-");
    let subject = match (&record.server, &record.subject) {
        (Some(server), Some(subject)) if !server.is_empty() => {
            Cell::foreign(&format!("{server}/{subject}"), 48)
        }
        (_, Some(subject)) => Cell::foreign(subject, 48),
        (_, None) => text(&record.route, 48),
    };
    let event = record.event.as_ref();
    let method = match event {
        Some(event) => Cell::foreign(&event.name, 32),
        None => text(&record.method, 32),
    };
    vec![
        Cell::new(instant::shown(record.at_ms), FAINT),
        Cell::new(record.verdict.word(), style),
        who(record),
        method,
        subject,
        Cell::foreign(control, 8),
        Cell::foreign(&record.id, 24),
        Cell::foreign(&reason(record), 160),
    ]
}

/// The name the issuer uses; the key of the record says nothing to people.
fn who(record: &OwnedRecord) -> Cell {
    let who = record.who.as_ref();
    let name = who.and_then(|who| who.subject.as_deref().or(who.user.as_deref()));
    match name {
        Some(name) => Cell::foreign(name, 32),
        None => Cell::foreign(record.source.as_deref().unwrap_or("-"), 32),
    }
}

/// Why it went no further, or what was found, or what changed.
fn reason(record: &OwnedRecord) -> String {
    if let Some(refusal) = &record.refusal {
        return format!("{}: {}", refusal.code, refusal.reason);
    }
    if let Some(event) = &record.event {
        return event
            .detail
            .as_deref()
            .or(event.after.as_deref())
            .unwrap_or_default()
            .to_owned();
    }
    let found = record
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.rule, finding.action));
    found.collect::<Vec<_>>().join(", ")
}
