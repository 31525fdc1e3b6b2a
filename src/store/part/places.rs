//! Whether pages have the places that links name by their fragments.

use crate::parse;
use crate::store::failed::Failed;
use crate::store::tables::{Sought, Tables};
use crate::visit::UrlId;

use super::run::Part;

/// Pages that are looked through in one transaction.
const PAGES: usize = 64;

impl<D: Tables> Part<D> {
    /// Looks through the next pages of an id after `after`. Answers with the last of them, if there was one.
    pub(super) async fn seek_places(&mut self, after: UrlId) -> Result<Option<UrlId>, Failed> {
        self.database.open_transaction().await?;
        match self.look_through(after).await {
            Ok(last) => {
                self.database.commit_transaction().await?;
                Ok(last)
            }
            Err(error) => {
                self.database.undo_transaction().await;
                Err(error)
            }
        }
    }

    async fn look_through(&mut self, mut after: UrlId) -> Result<Option<UrlId>, Failed> {
        let mut last = None;
        for _ in 0..PAGES {
            let Some(page) = self.database.sought(after).await? else { break };
            let Sought { id, changed_at, charset, body, fragments } = page;
            let missing = parse::missing(&parse::decoded(&body, charset.as_deref()), &fragments);
            self.database.keep_missing(id, changed_at, &missing).await?;
            (after, last) = (id, Some(id));
        }
        Ok(last)
    }
}
