//! A private directory for a real Codex that talks to this endpoint and to nobody else.

use std::{io, path::Path, process::Command};

use serde_json::{Value, json};

/// The name of the scripted model.
pub const MODEL: &str = "scripted-model";

/// The variable Codex takes its key from; it must be set and not empty.
pub const KEY_VARIABLE: &str = "CAR_SCRIPTED_KEY";

/// The bundled model whose properties the scripted one takes over: it is given its tools directly.
const LIKE: &str = "gpt-5.5";

/// Writes `config.toml` and, if `codex` tells its catalogue, an entry for the scripted model:
/// without one Codex offers it no editing tool. The directory must not lie in a directory for
/// temporary files, where Codex refuses to put its helpers (it runs, with a warning).
///
/// # Errors
/// The directory cannot be written.
pub fn codex_home(dir: &Path, endpoint_url: &str, codex: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let catalogue = dir.join("catalogue.json");
    let mut catalogue_line = String::new();
    if let Some(models) = catalogue_of(codex, dir) {
        std::fs::write(&catalogue, models.to_string())?;
        catalogue_line = format!("model_catalog_json = {}\n", json!(catalogue));
    }
    let config = format!(
        r#"model = "{MODEL}"
model_provider = "scripted"
{catalogue_line}approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
web_search = "disabled"

[tools.update_plan]
enabled = true

[analytics]
enabled = false

[feedback]
enabled = false

[features]
plugins = false
remote_plugin = false
apps = false
shell_snapshot = false
unbounded_connection_retries = false

[model_providers.scripted]
name = "Scripted"
base_url = "{endpoint_url}/v1"
wire_api = "responses"
env_key = "{KEY_VARIABLE}"
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 20000
"#
    );
    std::fs::write(dir.join("config.toml"), config)
}

fn catalogue_of(codex: &Path, home: &Path) -> Option<Value> {
    let output = Command::new(codex).args(["debug", "models"]).env("CODEX_HOME", home).output();
    let all: Value = serde_json::from_slice(&output.ok()?.stdout).ok()?;
    let models = all["models"].as_array()?;
    let mut model = models.iter().find(|model| model["slug"] == LIKE)?.clone();
    model["slug"] = json!(MODEL);
    model["display_name"] = json!("Scripted model");
    Some(json!({ "models": [model] }))
}
