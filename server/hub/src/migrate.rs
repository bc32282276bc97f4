//! A newer schema for the database: a copy first, and only of a whole database.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use car_files::{CAR_DIR, hub_root::HubLock, space};
use car_store::{Plan, Store};

use crate::{Error, Result, clock, hub::blocking};

/// Looks what the next start would do to the schema. Changes nothing.
///
/// # Errors
/// A newer program changed the database, or it cannot be read.
pub async fn check(root: &Path) -> Result<Plan> {
    Ok(car_store::plan(&root.join(CAR_DIR).join("hub.sqlite3")).await?)
}

/// Brings the schema of a hub that is not served up to date.
///
/// # Errors
/// As [`check`]; the hub is served; the database is damaged, or there is no space for a copy.
pub async fn run(root: &Path) -> Result<Plan> {
    let dir = root.to_owned();
    let _lock = blocking(move || Ok(HubLock::acquire(&dir, clock::now())?)).await?;
    let plan = prepare(root).await?;
    let store = Store::open(&root.join(CAR_DIR).join("hub.sqlite3")).await?;
    store.close().await;
    Ok(plan)
}

/// Copies the database if its schema is about to change. The caller holds the hub's lock.
pub(crate) async fn prepare(root: &Path) -> Result<Plan> {
    let database = root.join(CAR_DIR).join("hub.sqlite3");
    let plan = car_store::plan(&database).await?;
    if plan.pending.is_empty() || plan.present == 0 {
        return Ok(plan);
    }
    let look = car_store::look(&database).await?;
    if let Some(damage) = look.damage.first() {
        return Err(car_store::Error::Damaged(damage.clone()).into());
    }
    // One for the copy, one for what the change writes beside the database before it is in it.
    let size = fs::metadata(&database).map_or(0, |meta| meta.len());
    let (needed, free) = (2 * size, space::free(&root.join(CAR_DIR))?);
    if free < needed {
        let (needed, free) = (needed.div_ceil(1 << 20), free >> 20);
        return Err(car_store::Error::NoSpace { needed, free }.into());
    }
    let copy = plan.copy.clone();
    blocking(move || {
        let dir = copy.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::internal)?;
        // What an earlier try left is not known to be whole.
        let _ = fs::remove_file(&copy);
        let _ = fs::remove_file(half(&copy));
        Ok(())
    })
    .await?;
    let half = half(&plan.copy);
    car_store::snapshot(&database, &half, true).await?;
    fs::set_permissions(&half, fs::Permissions::from_mode(0o600)).map_err(Error::internal)?;
    fs::rename(&half, &plan.copy).map_err(Error::internal)?;
    tracing::info!(
        from = plan.present, to = plan.known, copy = %plan.copy.display(),
        "the database gets a newer schema; a copy was made"
    );
    Ok(plan)
}

fn half(copy: &Path) -> std::path::PathBuf {
    copy.with_extension("half")
}
