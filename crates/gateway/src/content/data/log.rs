//! Lines of a log, without the secrets and personal data that somebody wrote into them. A log is read
//! by people and machines that no policy knows of, so that nothing here can be switched off.

use super::packs;
use super::sought::Ignored;
use inspect::data::{Confidence, Thread, mark, redacted};

/// What stands in the place of a line that cannot be searched.
const WITHHELD: &str = "[withheld]";

/// Lines in the order in which they come: a key may go over several of them.
#[derive(Debug)]
pub(crate) struct Log {
    thread: Option<Thread>,
}

impl Log {
    /// A log of which nothing has come yet.
    pub(crate) fn new() -> Self {
        // The packs are those that a test has read: without them nothing is let through.
        let rules = packs::rules(&[], &Ignored::default());
        let thread = rules.ok().map(Thread::new);
        Log { thread }
    }

    /// The next line as it may be written down.
    pub(crate) fn line(&mut self, line: &str) -> String {
        let Some(thread) = &mut self.thread else {
            return WITHHELD.to_owned();
        };
        let ended = [line, "\n"].concat();
        let seen = thread.look(&ended);
        // What is in the rest of it is not known.
        if seen.is_cut {
            return WITHHELD.to_owned();
        }
        let kept = redacted(&ended, &seen.sights, |sight, _| {
            (sight.confidence > Confidence::Low).then(|| mark(&sight.rule.label))
        });
        kept.trim_end_matches('\n').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n5_3_a_log_has_no_secret_in_it_not_even_one_of_many_lines() {
        let mut log = Log::new();
        assert_eq!(log.line("nothing in particular"), "nothing in particular");
        let said =
            log.line("token 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 for anna.berg@corp.test");
        let marks = "token [redacted: secret.github_token] for [redacted: personal.email]";
        assert_eq!(said, marks);
        let body = "MIIEpAIBAAKCAQEAx8Jq3vT0kQm2Zr7LwYb5Hn1dXcUoFgRs9PtEiVaWlKjBzNyC";
        log.line("-----BEGIN RSA PRIVATE KEY-----");
        for _ in 0..40 {
            let said = log.line(body);
            assert!(!said.contains("MIIE"), "{said}");
        }
        log.line("-----END RSA PRIVATE KEY-----");
        assert_eq!(log.line("and on it goes"), "and on it goes");
    }

    #[test]
    fn n5_3_a_line_that_cannot_be_searched_to_its_end_is_not_written_down() {
        let mut log = Log::new();
        assert_eq!(log.line(&"/ops_eyJ".repeat(32 * 1024)), WITHHELD);
        for _ in 0..64 {
            log.line("words of no interest, and more of them, and no end of them in sight");
        }
        assert_eq!(log.line("and on it goes"), "and on it goes");
    }
}
