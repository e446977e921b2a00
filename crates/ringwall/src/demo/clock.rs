//! The server `clock`: tells the time, and is harmless.

use super::tools::{Tools, wrong};
use gateway::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

/// Tells the time.
#[derive(Debug)]
pub(super) struct Clock;

impl Tools for Clock {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn list(&self) -> Vec<Value> {
        vec![json!({
            "name": "now",
            "description": "The time now, some hours east of UTC.",
            "inputSchema": {
                "type": "object",
                "properties": { "offset_hours": { "type": "integer", "minimum": -12, "maximum": 14, "default": 0 } },
            },
            "outputSchema": {
                "type": "object",
                "properties": { "time": { "type": "string" }, "unix": { "type": "integer" } },
                "required": ["time", "unix"],
            },
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        })]
    }

    fn call(&self, tool: &str, arguments: &Value) -> Option<Value> {
        if tool != "now" {
            return None;
        }
        let offset = arguments
            .get("offset_hours")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        if !(-12..=14).contains(&offset) {
            return Some(wrong("no such offset"));
        }
        let unix = SystemClock::default().unix_s();
        let time = time_of_day(unix, offset);
        Some(json!({
            "content": [{ "type": "text", "text": time }],
            "structuredContent": { "time": time, "unix": unix },
        }))
    }
}

/// The time of the day, so many hours east of UTC.
fn time_of_day(unix: u64, offset: i64) -> String {
    const DAY: i64 = 24 * 60 * 60;
    let second = i64::try_from(unix)
        .unwrap_or(0)
        .saturating_add(offset * 3600)
        .rem_euclid(DAY);
    format!(
        "{:02}:{:02}:{:02} (UTC{offset:+})",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_time_of_the_day_anywhere() {
        for (unix, offset, expected) in [
            (0, 0, "00:00:00 (UTC+0)"),
            (0, -1, "23:00:00 (UTC-1)"),
            (86_399, 2, "01:59:59 (UTC+2)"),
        ] {
            assert_eq!(time_of_day(unix, offset), expected);
        }
    }
}
