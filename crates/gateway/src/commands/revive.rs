//! `connections revive`.

use std::io::Write;

use tower_passthrough::StoreError;
use tower_passthrough::store::{ConnectionStore, GrantState};

use super::list::{PAGE, escaped};
use super::{Failure, Maintain, counted, missing};
use crate::cli::Revive;

/// Marks revoked grants as active, also if some of the ids are unknown. The token endpoint is asked
/// by the next call that needs a token.
pub(super) async fn revive<S: ConnectionStore + Maintain>(
    wanted: &Revive,
    store: &S,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut revived = 0;
    let mut unknown = Vec::new();
    for id in &wanted.ids {
        match store.revive(id).await {
            Ok(was_revoked) => revived += u64::from(was_revoked),
            Err(StoreError::NotFound) => unknown.push(escaped(id.as_str())),
            Err(error) => return Err(error.into()),
        }
    }
    if wanted.all {
        revived += all(wanted.integration.as_deref(), store).await?;
    }
    writeln!(out, "revived {}", counted(revived))?;
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(missing(&unknown)),
    }
}

/// Revives all connections, or all connections of an integration. Returns their number.
async fn all<S: ConnectionStore + Maintain>(
    integration: Option<&str>,
    store: &S,
) -> Result<u64, Failure> {
    let mut revived = 0;
    let mut after = None;
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        // A page may be short although more connections follow.
        let Some(last) = page.last().map(|last| last.key.clone()) else {
            return Ok(revived);
        };
        for listed in &page {
            let is_wanted = integration.is_none_or(|name| *listed.integration == *name);
            if listed.state == GrantState::Active || !is_wanted {
                continue;
            }
            match store.revive(&listed.key).await {
                Ok(was_revoked) => revived += u64::from(was_revoked),
                // Removed meanwhile.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        after = Some(last);
    }
}
