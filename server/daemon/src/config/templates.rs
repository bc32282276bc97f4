//! Where templates of tickets come from.

use car_hub::{TemplateSourceConfig, TemplatesConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ConfigError, Loaded, Source, layer::pointer, set_all};

/// The key of the list.
const REPOS: &str = "templates.repos";

/// `templates:`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Templates {
    /// Whether there are any.
    pub enabled: bool,
    /// The sources.
    pub repos: Vec<TemplateRepo>,
}

impl Default for Templates {
    fn default() -> Self {
        Self { enabled: true, repos: Vec::new() }
    }
}

/// One entry of `templates.repos`. What else CAR may have written there is left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateRepo {
    /// What templates are named by.
    pub id: String,
    /// Where it is fetched from.
    pub url: String,
    /// Whether what it has at first is trusted.
    #[serde(default)]
    pub trusted: bool,
    /// Branch, tag or commit.
    #[serde(default = "main")]
    pub default_ref: String,
}

fn main() -> String {
    "main".to_owned()
}

impl Templates {
    /// As the hub takes it, but for what keeps other sources.
    #[must_use]
    pub fn for_hub(&self) -> TemplatesConfig {
        let source = |repo: &TemplateRepo| {
            let TemplateRepo { id, url, trusted, default_ref } = repo.clone();
            Some(TemplateSourceConfig { id: id.parse().ok()?, url, trusted, default_ref })
        };
        TemplatesConfig {
            enabled: self.enabled,
            sources: self.repos.iter().filter_map(source).collect(),
            ..TemplatesConfig::default()
        }
    }

    /// Entries that have no effect.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut seen = Vec::new();
        let mut found = Vec::new();
        for repo in &self.repos {
            if let Err(error) = repo.id.parse::<car_api::TemplateSourceId>() {
                found.push(format!("`{REPOS}`: `{}` is left out: it is not {error}", repo.id));
            } else if seen.contains(&&repo.id) {
                found
                    .push(format!("`{REPOS}`: `{}` is there twice; the first one counts", repo.id));
            }
            seen.push(&repo.id);
        }
        found
    }
}

impl Loaded {
    /// Keeps other sources of templates in the hub's own file.
    ///
    /// # Errors
    /// The file cannot be changed, or the sources were given in a way that is stronger than it.
    pub fn keep_templates(&self, sources: &[TemplateSourceConfig]) -> Result<(), ConfigError> {
        if let Some(from @ (Source::Variable(_) | Source::Flag)) = self.sources.get(REPOS) {
            return Err(ConfigError::Value {
                from: from.to_string(),
                key: REPOS.to_owned(),
                detail: "it is given there, which is stronger than the hub's file: change it \
                         there and start the hub again"
                    .to_owned(),
            });
        }
        let list = sources.iter().map(|source| {
            // What somebody wrote beside it stays.
            let mut entry = self.written(source.id.as_str());
            let said = json!({
                "id": source.id,
                "url": source.url,
                "trusted": source.trusted,
                "default_ref": source.default_ref,
            });
            if let (Value::Object(entry), Value::Object(said)) = (&mut entry, said) {
                entry.extend(said);
            }
            entry
        });
        set_all(&self.root, vec![(REPOS, list.collect())])
    }

    /// What the files said of a source when the hub was started.
    fn written(&self, id: &str) -> Value {
        let list = self.merged.pointer(&pointer(REPOS)).and_then(Value::as_array);
        let entry = list.into_iter().flatten().find(|entry| entry["id"] == id);
        entry.cloned().unwrap_or_else(|| json!({}))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{FILE, load};

    #[test]
    fn a_hub_of_cars_keeps_its_sources_and_what_stands_beside_them() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".codex-autorunner")).unwrap();
        fs::write(
            root.path().join("codex-autorunner.yml"),
            "templates:\n  enabled: true\n  repos:\n    - id: blessed\n      url: https://example.org/t.git\n      trusted: true\n      note: ours\n    - id: ../x\n      url: other\n",
        )
        .unwrap();
        let loaded = load(root.path(), [], Vec::new()).unwrap();
        let mut sources = loaded.config.templates.for_hub().sources;
        assert_eq!(sources.len(), 1);
        assert_eq!((sources[0].id.as_str(), &*sources[0].default_ref), ("blessed", "main"));
        assert!(sources[0].trusted);
        assert!(loaded.warnings.iter().any(|said| said.contains("../x")), "{:?}", loaded.warnings);
        sources.push(TemplateSourceConfig {
            id: "team".parse().unwrap(),
            url: "/srv/t.git".to_owned(),
            trusted: false,
            default_ref: "v1".to_owned(),
        });
        loaded.keep_templates(&sources).unwrap();
        let text = fs::read_to_string(root.path().join(FILE)).unwrap();
        assert!(text.contains("\"note\":\"ours\""), "{text}");
        let again = load(root.path(), [], Vec::new()).unwrap();
        assert_eq!(again.config.templates.for_hub().sources, sources);
        let given = [("CAR_TEMPLATES_REPOS".into(), "[]".into())];
        let given = load(root.path(), given, Vec::new()).unwrap();
        assert!(given.keep_templates(&sources).unwrap_err().to_string().contains("stronger"));
    }
}
