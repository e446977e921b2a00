//! Hands records on, in the shapes other systems read.

mod ocsf;

use crate::err::ExportError;
use crate::line::Piece;
use crate::query::Query;
use crate::reader::{Position, Reader};
use crate::record::OwnedRecord;
use std::io::Write;
use std::path::Path;

/// The shape of an export: one JSON object on each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The ledger's own lines, with number and hash.
    Jsonl,
    /// OCSF 1.8, class API Activity (6003).
    Ocsf,
}

/// Writes the records that `query` admits to `out`, oldest first, and returns how many.
///
/// It does not verify the chain; [`crate::verify`] does. Limit and page of the query count in the
/// direction of the export.
pub fn export(
    dir: &Path,
    query: &Query,
    format: Format,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let mut reader = Reader::at(dir, Position::START);
    let limit = query.limit.map_or(u64::MAX, |limit| limit as u64);
    let mut written = 0u64;
    while written < limit && reader.advance()? {
        let line = reader.line()?;
        let seq = line.seq;
        if query.before.is_some_and(|before| seq >= before) {
            break;
        }
        let Piece::Record(bytes) = line.piece else {
            continue;
        };
        let record: OwnedRecord =
            serde_json::from_slice(bytes).map_err(|source| ExportError::Record { seq, source })?;
        if !query.admits(&record) {
            continue;
        }
        match format {
            Format::Jsonl => out.write_all(reader.bytes())?,
            Format::Ocsf => {
                let event = ocsf::api_activity(&record, seq, &line.hash.to_string());
                serde_json::to_writer(&mut *out, &event).map_err(std::io::Error::from)?;
            }
        }
        out.write_all(b"\n")?;
        written = written.saturating_add(1);
    }
    out.flush()?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Verdict;
    use crate::sample::{Sample, small};
    use serde_json::Value;

    fn lines(query: &Query, format: Format) -> Vec<Value> {
        let sample = Sample::closed(small(), 10);
        let mut out = Vec::new();
        let count = export(&sample.path(), query, format, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len() as u64, count);
        lines
    }

    #[test]
    fn exports_the_lines_that_are_asked_for() {
        let any = Query::default;
        assert_eq!(lines(&any(), Format::Jsonl).len(), 10);
        let alice = Query {
            user: Some("alice".into()),
            limit: Some(3),
            ..any()
        };
        let found = lines(&alice, Format::Jsonl);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0]["record"]["id"], "call-2");
        let none = Query {
            verdict: Some(Verdict::Refused),
            ..any()
        };
        assert!(lines(&none, Format::Jsonl).is_empty());
    }

    #[test]
    fn exports_api_activity_with_what_the_class_requires() {
        for event in lines(&Query::default(), Format::Ocsf) {
            assert_eq!(event["type_uid"], 600_399);
            for required in [
                "activity_id",
                "actor",
                "api",
                "category_uid",
                "class_uid",
                "metadata",
                "severity_id",
                "src_endpoint",
                "time",
                "type_uid",
            ] {
                assert!(
                    event.get(required).is_some_and(|value| !value.is_null()),
                    "{required}"
                );
            }
        }
    }
}
