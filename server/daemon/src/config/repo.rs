//! What holds for one repo: the hub's settings, its `repo_defaults`, and the repo's own
//! `.codex-autorunner/repo.override.yml`, later ones winning.

use std::{collections::BTreeMap, path::Path};

use car_api::verify::VerifyCommand;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Loaded, TicketFlow, keys,
    layer::{ConfigError, Layer, Source, typed},
    verify,
};

/// The repo's own file, relative to its directory.
const FILE: &str = ".codex-autorunner/repo.override.yml";

/// What holds for one repo.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RepoConfig {
    /// What a run is started with.
    pub ticket_flow: TicketFlow,
    /// Commands that check a claim of being done, where a ticket names none.
    #[serde(deserialize_with = "verify::commands")]
    pub verify: Vec<VerifyCommand>,
}

impl Loaded {
    /// What holds for the repo in `dir`, and what was said there without effect.
    ///
    /// # Errors
    /// The repo's file cannot be read, has an unknown key or a value its key does not take.
    pub fn for_repo(&self, dir: &Path) -> Result<(RepoConfig, Vec<String>), ConfigError> {
        let mut merged = json!({
            "ticket_flow": self.merged.get("ticket_flow"),
            "verify": self.merged.get("verify"),
        });
        let mut sources = BTreeMap::new();
        let mut warnings = Vec::new();
        let defaults = Value::Object(self.config.repo_defaults.clone());
        let own = Layer::from_file(dir, FILE)?;
        let layers = [(Some(of_defaults(&defaults)), keys::KEYS), (own, &[])];
        for (layer, elsewhere) in layers {
            let Some(mut layer) = layer else { continue };
            layer.take_former_names();
            layer.check(keys::REPO_KEYS, elsewhere, &mut warnings)?;
            layer.merge_into(&mut merged, &mut sources);
        }
        Ok((typed(&merged, &sources)?, warnings))
    }
}

/// Refuses `repo_defaults` with keys or values no repo could have.
pub(super) fn check_defaults(
    defaults: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let mut layer = of_defaults(defaults);
    layer.take_former_names();
    // The original wrote the hub's defaults there as well.
    layer.check(keys::REPO_KEYS, keys::KEYS, warnings)?;
    let (mut merged, mut sources) = (Value::Object(Map::new()), BTreeMap::new());
    layer.merge_into(&mut merged, &mut sources);
    typed::<RepoConfig>(&merged, &sources).map(|_| ())
}

fn of_defaults(defaults: &Value) -> Layer {
    Layer::from_tree(defaults.clone(), Source::File("repo_defaults".to_owned()))
}
