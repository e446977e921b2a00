//! The eight levels of a log message, in order. Says which is which; it never decides what is
//! logged.

use std::fmt;

/// How much a log message matters, as syslog has it (RFC 5424). Graver ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// For whoever looks for a fault.
    Debug,
    /// What happens normally.
    Info,
    /// Normal, but worth a look.
    Notice,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Error,
    /// A part has failed.
    Critical,
    /// Somebody must act now.
    Alert,
    /// Nothing works.
    Emergency,
}

impl LogLevel {
    /// Every level, the least grave first.
    pub const ALL: &'static [LogLevel] = &[
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Notice,
        LogLevel::Warning,
        LogLevel::Error,
        LogLevel::Critical,
        LogLevel::Alert,
        LogLevel::Emergency,
    ];

    /// The level of this name.
    pub fn named(name: &str) -> Option<LogLevel> {
        let mut all = LogLevel::ALL.iter().copied();
        all.find(|level| level.as_str() == name)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Notice => "notice",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
            LogLevel::Critical => "critical",
            LogLevel::Alert => "alert",
            LogLevel::Emergency => "emergency",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_found_by_its_name_and_no_other_text_is_one() {
        for level in LogLevel::ALL {
            assert_eq!(LogLevel::named(level.as_str()), Some(*level));
        }
        for other in ["", "Debug", "warn", "info ", "fatal", "emerg", "7"] {
            assert_eq!(LogLevel::named(other), None, "{other}");
        }
    }

    #[test]
    fn graver_levels_are_greater() {
        assert_eq!(LogLevel::ALL.len(), 8);
        assert!(LogLevel::ALL.is_sorted());
        assert!(LogLevel::Emergency > LogLevel::Error && LogLevel::Info > LogLevel::Debug);
        assert!(LogLevel::Error > LogLevel::Warning && LogLevel::Warning > LogLevel::Notice);
    }
}
