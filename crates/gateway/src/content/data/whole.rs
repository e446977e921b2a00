//! What is done where no single server is concerned: about each thing the strictest of what is done for any
//! of them. Nothing is turned back there.

use super::{Data, PackError};
use config::settled;
use std::sync::Arc;

impl Data {
    /// What counts for all of these together; nothing if there are none.
    pub(in crate::content) fn of_all<'a>(
        all: impl IntoIterator<Item = &'a settled::Data>,
        route: &Arc<str>,
    ) -> Result<Option<Data>, PackError> {
        let mut all: Vec<settled::Data> = all.into_iter().cloned().collect();
        let mut packs: Vec<settled::RulePack> = Vec::new();
        for pack in all.iter().flat_map(|settled| &settled.packs) {
            if !packs.contains(pack) {
                packs.push(pack.clone());
            }
        }
        let Some(first) = all.pop() else {
            return Ok(None);
        };
        let settled = settled::Data {
            packs,
            reveal: Vec::new(),
            ..first
        };
        Data::of(settled, all.into(), route).map(Some)
    }
}
