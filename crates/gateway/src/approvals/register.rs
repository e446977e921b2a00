//! The rows: one for each call that waits, changed only by whoever has read it as it is. The gateway and
//! `ringwall approvals` use the same.

use super::entry::{Binding, Decision, DecisionError, Entry};
use crate::state::{Database, Kind, Opened, Rows, StateError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use vault::Vault;

/// The rows of calls that wait.
#[derive(Clone, Debug)]
pub struct Register {
    rows: Rows,
    /// The user of this machine whose data it is.
    owner: Option<u32>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Others change the same call again and again.
    #[error("this call is being decided by others: look at it again")]
    Busy,
    /// What was said does not count.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The data directory cannot be looked at.
    #[error("the data directory cannot be looked at: {0}")]
    Folder(#[from] std::io::Error),
    /// The key of the store's secrets is not there.
    #[error("the key of what is kept: {0}")]
    Key(#[from] vault::KeyFileError),
    /// The store failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no such call.
    #[error("no call waits under this name")]
    Unknown,
}

impl Register {
    /// How long a call is kept that has expired, so that the ledger hears of it, in milliseconds.
    const GRACE_MS: u64 = 3_600_000;
    /// How often a change is tried while others change the same call.
    const TRIES: usize = 16;

    /// The register in this data directory, also while a gateway runs on it.
    pub fn open(data: &Path) -> Result<Self, RegisterError> {
        let database = Database::open(data)?;
        let owner = std::fs::metadata(data)?.uid();
        let vault = Vault::load_or_create(&data.join("keys").join(Rows::KEY))?;
        Ok(Register {
            rows: Rows::new(Arc::new(database), Arc::new(vault)),
            owner: Some(owner),
        })
    }

    /// The register in these rows.
    pub(crate) fn new(rows: Rows) -> Self {
        Register { rows, owner: None }
    }

    /// Every call that waits, is approved, was declined, or has just expired, the oldest first.
    pub async fn entries(&self, now_ms: u64) -> Result<Vec<Entry>, StateError> {
        let rows = self.rows.list(Kind::Approval, "", now_ms).await?;
        let mut all = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|left, right| (left.asked_ms, &left.id).cmp(&(right.asked_ms, &right.id)));
        Ok(all)
    }

    /// The call of this name.
    pub async fn entry(&self, id: &str, now_ms: u64) -> Result<Option<Entry>, StateError> {
        let kept = self.kept(id, now_ms).await?;
        Ok(kept.map(|(entry, _)| entry))
    }

    /// Writes down what somebody says of a call, and returns it as it is then.
    pub async fn decide(
        &self,
        id: &str,
        decision: &Decision,
        now_ms: u64,
    ) -> Result<Entry, RegisterError> {
        for _ in 0..Self::TRIES {
            let kept = self.kept(id, now_ms).await?;
            let (mut entry, row) = kept.ok_or(RegisterError::Unknown)?;
            entry.decide(decision, self.owner, now_ms)?;
            if self.put(Some(&row), &entry, now_ms).await? {
                return Ok(entry);
            }
        }
        Err(RegisterError::Busy)
    }

    /// The call of this name, and the row that says it.
    pub(super) async fn kept(
        &self,
        id: &str,
        now_ms: u64,
    ) -> Result<Option<(Entry, Opened)>, StateError> {
        let row = self.rows.get(Kind::Approval, id, now_ms).await?;
        let kept = row.map(|row| read(&row).map(|entry| (entry, row)));
        kept.transpose()
    }

    /// Puts a call in the place of the one that was read, or of none.
    pub(super) async fn put(
        &self,
        before: Option<&Opened>,
        entry: &Entry,
        now_ms: u64,
    ) -> Result<bool, StateError> {
        let value = serde_json::to_vec(entry).map_err(|_| malformed(&entry.id))?;
        let until_ms = entry.until_ms.saturating_add(Self::GRACE_MS);
        let after = Some((value.as_slice(), Some(until_ms)));
        let kind = Kind::Approval;
        self.rows.swap(kind, &entry.id, before, after, now_ms).await
    }

    /// Removes the call that was read. Of all who do, one succeeds.
    pub(super) async fn take(&self, row: &Opened, now_ms: u64) -> Result<bool, StateError> {
        let kind = Kind::Approval;
        self.rows
            .swap(kind, &row.key, Some(row), None, now_ms)
            .await
    }

    /// How many calls are kept for this user, and in all.
    pub(super) async fn counts(
        &self,
        user: &str,
        now_ms: u64,
    ) -> Result<(usize, usize), StateError> {
        let prefix = Binding::prefix(user);
        let own = self.rows.count(Kind::Approval, &prefix, now_ms).await?;
        Ok((own, self.rows.count(Kind::Approval, "", now_ms).await?))
    }

    /// A number that changes whenever another process wrote.
    pub(super) async fn version(&self) -> Result<i64, StateError> {
        self.rows.version().await
    }
}

/// A row that does not read is not left out: what it says is not known.
fn read(row: &Opened) -> Result<Entry, StateError> {
    let entry: Option<Entry> = serde_json::from_slice(&row.value).ok();
    let entry = entry.filter(|entry| entry.id == row.key && entry.binding.id() == row.key);
    entry.ok_or_else(|| malformed(&row.key))
}

fn malformed(key: &str) -> StateError {
    StateError::malformed(Kind::Approval, key)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::{entry, person};
    use super::super::{Progress, Verdict};
    use super::*;

    fn registers(data: &Path) -> (Register, Register) {
        let vault = || Arc::new(Vault::load_or_create(&data.join("vault.key")).unwrap());
        let register = || {
            let database = Database::open(data).unwrap();
            Register::new(Rows::new(Arc::new(database), vault()))
        };
        (register(), register())
    }

    fn approve(name: &str) -> Decision {
        Decision {
            verdict: Verdict::Approve(vec![0]),
            by: person(name),
            seen_ms: None,
        }
    }

    #[tokio::test]
    async fn n2_4_two_processes_never_lose_a_word_of_anybody() {
        let data = tempfile::tempdir().unwrap();
        let (one, other) = registers(data.path());
        let waiting = entry(&[("owners", 5)]);
        assert!(one.put(None, &waiting, 0).await.unwrap());
        assert!(
            !other.put(None, &waiting, 0).await.unwrap(),
            "the same call waits once"
        );
        let names = ["bob", "carol", "dave", "erin", "frank"].map(approve);
        let [a, b, c, d, e] = &names;
        let id = &*waiting.id;
        let (a, b, c, d, e) = tokio::join!(
            one.decide(id, a, 2000),
            other.decide(id, b, 2000),
            one.decide(id, c, 2000),
            other.decide(id, d, 2000),
            one.decide(id, e, 2000),
        );
        for decided in [a, b, c, d, e] {
            decided.unwrap();
        }
        let kept = other.entry(id, 2000).await.unwrap().unwrap();
        assert_eq!(
            (kept.votes.len(), kept.progress(2000)),
            (5, Progress::Approved)
        );
    }

    #[tokio::test]
    async fn n2_4_an_approval_is_taken_once_by_whoever_comes_first() {
        let data = tempfile::tempdir().unwrap();
        let (one, other) = registers(data.path());
        let waiting = entry(&[("owners", 1)]);
        one.put(None, &waiting, 0).await.unwrap();
        one.decide(&waiting.id, &approve("bob"), 2000)
            .await
            .unwrap();
        let (_, first) = one.kept(&waiting.id, 2000).await.unwrap().unwrap();
        let (_, second) = other.kept(&waiting.id, 2000).await.unwrap().unwrap();
        let (a, b) = tokio::join!(one.take(&first, 2000), other.take(&second, 2000));
        assert_ne!(a.unwrap(), b.unwrap());
        // Asked for again it waits again, and what was read before takes nothing of that.
        assert!(one.put(None, &waiting, 2000).await.unwrap());
        assert!(!other.take(&second, 2000).await.unwrap());
        let kept = one.entry(&waiting.id, 2000).await.unwrap().unwrap();
        assert_eq!(kept.progress(2000), Progress::Waiting);
    }

    #[tokio::test]
    async fn n2_4_a_row_that_says_something_else_than_its_name_is_not_believed() {
        let data = tempfile::tempdir().unwrap();
        let (one, _) = registers(data.path());
        let mut forged = entry(&[("owners", 1)]);
        forged.binding.tool = "another".into();
        one.put(None, &forged, 0).await.unwrap();
        assert!(one.entry(&forged.id, 0).await.is_err());
        assert!(one.entries(0).await.is_err());
        // Nor one that lies under the name of its call and says that it has another.
        let data = tempfile::tempdir().unwrap();
        let (one, _) = registers(data.path());
        let mut renamed = entry(&[("owners", 1)]);
        let name = std::mem::replace(&mut renamed.id, "another".into());
        let value = serde_json::to_vec(&renamed).unwrap();
        let kept = one.rows.put(Kind::Approval, &name, &value, None, 0);
        kept.await.unwrap();
        assert!(one.entry(&name, 0).await.is_err());
    }

    #[tokio::test]
    async fn what_is_kept_of_a_user_is_counted() {
        let data = tempfile::tempdir().unwrap();
        let (one, _) = registers(data.path());
        for (user, tool) in [("a", "x"), ("a", "y"), ("b", "x")] {
            let mut entry = entry(&[("owners", 1)]);
            entry.binding.user = user.into();
            entry.binding.tool = tool.into();
            entry.id = entry.binding.id();
            assert!(one.put(None, &entry, 0).await.unwrap());
        }
        assert_eq!(one.counts("a", 0).await.unwrap(), (2, 3));
        assert_eq!(one.counts("c", 0).await.unwrap(), (0, 3));
    }
}
