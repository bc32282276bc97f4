use std::fs;

use serde_json::json;

use super::*;

struct Root(tempfile::TempDir);

impl Root {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(dir)
    }

    fn load(&self, variables: &[(&str, &str)], flags: Flags) -> Result<Loaded, ConfigError> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        load(self.0.path(), variables, flags)
    }

    fn error(&self) -> String {
        self.load(&[], vec![]).unwrap_err().to_string()
    }
}

#[test]
fn nothing_said_is_the_built_ins() {
    let loaded = Root::with(&[]).load(&[], vec![]).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.warnings.is_empty());
    assert!(loaded.shown().contains("server.port: 4173  # built-in\n"), "{}", loaded.shown());
}

#[test]
fn later_places_win_and_mappings_merge() {
    let files = [
        (
            "codex-autorunner.yml",
            "server: {port: 1, allowed_hosts: [a, b]}\nhub:\n  worktrees_root: wt\n",
        ),
        ("codex-autorunner.override.yml", "server:\n  port: 2\n  allowed_hosts: [c]\n"),
        (".codex-autorunner/config.yml", "ticket_flow:\n  max_total_turns: 9\nserver:\n"),
    ];
    let root = Root::with(&files);
    let loaded = root.load(&[], vec![]).unwrap();
    assert_eq!(loaded.config.server.port, 2);
    assert_eq!(loaded.config.server.allowed_hosts, ["c"]);
    assert_eq!(loaded.config.hub.worktrees_root, "wt");
    assert_eq!(loaded.config.ticket_flow.max_total_turns, 9);

    let variables =
        [("CAR_SERVER_PORT", "3"), ("CAR_SERVER_ALLOWED_HOSTS", "d, e"), ("CAR_TOKEN", "x")];
    let loaded = root.load(&variables, vec![("hub.max_parallel_runs", json!(7))]).unwrap();
    assert_eq!(loaded.config.server.port, 3);
    assert_eq!(loaded.config.server.allowed_hosts, ["d", "e"]);
    assert_eq!(loaded.config.hub.max_parallel_runs, Some(7));
    let shown = loaded.shown();
    for line in [
        "server.port: 3  # $CAR_SERVER_PORT\n",
        "hub.worktrees_root: \"wt\"  # codex-autorunner.yml\n",
        "hub.max_parallel_runs: 7  # command line\n",
    ] {
        assert!(shown.contains(line), "{line:?} in\n{shown}");
    }
}

#[test]
fn mistakes_name_the_file_the_key_and_what_was_meant() {
    let error = |text: &str| Root::with(&[("codex-autorunner.yml", text)]).error();
    assert_eq!(
        error("server:\n  prot: 1\n"),
        "codex-autorunner.yml: there is no key `server.prot`; did you mean `server.port`? \
         Correct or remove it"
    );
    let wrong = error("ticket_flow:\n  max_total_turns: many\n");
    assert!(
        wrong.starts_with("codex-autorunner.yml: `ticket_flow.max_total_turns` is not valid"),
        "{wrong}"
    );
    assert!(error("server: 4173\n").contains("`server`"));
    assert!(error("- a\n").contains("top level"));
    assert!(error("a: [\n").starts_with("codex-autorunner.yml is not valid"));
    assert!(error("repo_defaults:\n  ticket_flow:\n    max_turns: 1\n").contains("max_turns"));
    assert!(error("repo_defaults:\n  verify: 1\n").contains("verify"));
}

/// CAR 1 wrote every default there is into the file it generated.
#[test]
fn defaults_of_repos_may_hold_what_only_a_hub_has() {
    let text = "repo_defaults:\n  agents:\n    codex:\n      binary: codex\n  server:\n    port: 1\n    host: x\n";
    let loaded = Root::with(&[("codex-autorunner.yml", text)]).load(&[], vec![]).unwrap();
    assert_eq!(
        loaded.config,
        Config { repo_defaults: loaded.config.repo_defaults.clone(), ..Config::default() }
    );
    assert_eq!(
        loaded.warnings,
        [
            "repo_defaults: `agents.codex.command` has no effect in this hub",
            "repo_defaults: `server.*` (2 keys) has no effect in this hub",
        ]
    );
}

#[test]
fn what_the_original_knew_is_taken_or_warned_about() {
    let text = "version: 2\nmode: hub\nserver:\n  port: 4173\n  access_log: false\n\
                codex:\n  binary: /opt/codex\n  model: gpt-x\n  terminal_args: [--yolo]\n\
                pma:\n  max_repos: 25\nticket_flow:\n  approval_mode: yolo\n  restart_backoff: 0\n\
                git:\n  auto_commit: true\nagents:\n  opencode:\n    binary: opencode\n";
    let loaded = Root::with(&[(".codex-autorunner/config.yml", text)]).load(&[], vec![]).unwrap();
    assert_eq!(loaded.config.agents.codex.command, ["/opt/codex"]);
    assert_eq!(loaded.config.agents.codex.model.as_deref(), Some("gpt-x"));
    assert!(loaded.config.ticket_flow.auto_commit);
    let named: Vec<_> = loaded.warnings.iter().filter_map(|line| line.split('`').nth(1)).collect();
    assert_eq!(
        named,
        [
            "agents.opencode.binary",
            "codex.terminal_args",
            "pma.max_repos",
            "server.access_log",
            "ticket_flow.restart_backoff"
        ]
    );
}

#[test]
fn a_repo_has_the_last_word_about_itself() {
    let root = Root::with(&[
        (
            "codex-autorunner.yml",
            "ticket_flow: {max_total_turns: 5, max_lint_retries: 1}\nverify: [make test]\n\
             repo_defaults:\n  ticket_flow:\n    max_total_turns: 6\n",
        ),
        (
            "r/.codex-autorunner/repo.override.yml",
            "ticket_flow:\n  max_lint_retries: 8\nverify: []\n",
        ),
        ("bad/.codex-autorunner/repo.override.yml", "server:\n  port: 1\n"),
    ]);
    let loaded = root.load(&[], vec![]).unwrap();
    let (plain, _) = loaded.for_repo(&root.0.path().join("other")).unwrap();
    assert_eq!((plain.ticket_flow.max_total_turns, plain.ticket_flow.max_lint_retries), (6, 1));
    assert_eq!(plain.verify.iter().map(|c| c.run.as_str()).collect::<Vec<_>>(), ["make test"]);
    let (own, _) = loaded.for_repo(&root.0.path().join("r")).unwrap();
    assert_eq!((own.ticket_flow.max_total_turns, own.ticket_flow.max_lint_retries), (6, 8));
    assert!(own.verify.is_empty());
    let error = loaded.for_repo(&root.0.path().join("bad")).unwrap_err().to_string();
    assert!(error.contains("repo.override.yml") && error.contains("`server.port`"), "{error}");
}

#[test]
fn verification_is_written_as_in_a_ticket() {
    let text = "verify:\n  - make test\n  - run: npm test\n    dir: web\n    timeout: 15m\n    tree: clean\n";
    let loaded = Root::with(&[("codex-autorunner.yml", text)]).load(&[], vec![]).unwrap();
    let said: Vec<_> = loaded
        .config
        .verify
        .iter()
        .map(|c| (c.run.as_str(), c.dir.as_deref(), c.timeout_s, c.tree.as_str()))
        .collect();
    assert_eq!(
        said,
        [("make test", None, 1200, "worktree"), ("npm test", Some("web"), 900, "clean")]
    );
    for bad in ["[1]", "[{run: x, timeout: soon}]", "[{dir: x}]", "[{run: x, tre: clean}]", "make"]
    {
        let text = format!("verify: {bad}\n");
        let error = Root::with(&[("codex-autorunner.yml", &text)]).error();
        assert!(error.starts_with("codex-autorunner.yml: `verify"), "{bad}: {error}");
    }
}

#[test]
fn values_that_may_be_secrets_are_not_shown() {
    let text = "agents:\n  codex:\n    env:\n      OPENAI_API_KEY: sk-verysecret\n";
    let loaded = Root::with(&[("codex-autorunner.yml", text)]).load(&[], vec![]).unwrap();
    assert_eq!(loaded.config.agents.codex.env["OPENAI_API_KEY"], "sk-verysecret");
    assert!(!loaded.shown().contains("verysecret"));
    assert_eq!(format!("{:?}", Secret::new("verysecret".to_owned())), "***");
}

#[test]
fn prices_and_budgets_are_read_to_the_millionth() {
    let text = "prices:
  currency: EUR
  table:
    - {model: 'a*', input: 1.25, cached_input: '0.125', output: 10}
    - {agent: demo, input: 0.1, output: 0}
budget: {day_cost: 20, repo_day_cost: '0.000001', day_tokens: 5000000000, utc_offset: '-05:30'}
ticket_flow: {max_cost: 2.50}
";
    let loaded = Root::with(&[("codex-autorunner.yml", text)]).load(&[], vec![]).unwrap();
    assert_eq!(loaded.warnings, [] as [&str; 0]);
    let Config { prices, budget, ticket_flow, .. } = &loaded.config;
    let money = money_for_hub(prices, budget, ticket_flow);
    let amounts: Vec<i64> = money
        .prices
        .iter()
        .flat_map(|price| [Some(price.input), price.cached_input, Some(price.output)])
        .map(|amount| amount.map_or(-1, car_api::money::Amount::millionths))
        .collect();
    assert_eq!(amounts, [1_250_000, 125_000, 10_000_000, 100_000, -1, 0]);
    assert_eq!(money.limits.day_cost.unwrap().to_string(), "20.00");
    assert_eq!(money.limits.repo_day_cost.unwrap().millionths(), 1);
    assert_eq!(money.limits.day_tokens, Some(5_000_000_000));
    assert_eq!(money.limits.max_cost.unwrap().to_string(), "2.50");
    assert_eq!(money.utc_offset_s, -19_800);
    assert_eq!(money.currency.as_deref(), Some("EUR"));
}

#[test]
fn money_that_cannot_be_read_is_said_with_its_key() {
    for (text, key) in [
        ("prices: {currency: 'US D'}", "prices.currency"),
        ("prices: {table: [{input: 1}]}", "prices.table"),
        ("prices: {table: [{input: 1e-7, output: 1}]}", "prices.table"),
        ("prices: {table: [{input: -1, output: 1}]}", "prices.table"),
        ("prices: {table: [{input: 1, output: 1, per: 1000}]}", "prices.table"),
        ("budget: {day_cost: 0}", "budget.day_cost"),
        ("budget: {day_cost: 1.0000001}", "budget.day_cost"),
        ("budget: {day_tokens: -1}", "budget.day_tokens"),
        ("budget: {utc_offset: 'Berlin'}", "budget.utc_offset"),
        ("ticket_flow: {max_cost: much}", "ticket_flow.max_cost"),
    ] {
        let error = Root::with(&[("codex-autorunner.yml", text)]).error();
        assert!(error.contains(key) && error.contains("codex-autorunner.yml"), "{text}: {error}");
    }
    let odd = "prices: {table: [{input: 1, output: 1}]}\n";
    let odd = Root::with(&[("codex-autorunner.yml", odd)]).load(&[], vec![]).unwrap();
    assert!(odd.warnings[0].contains("prices.currency"), "{:?}", odd.warnings);
    let idle = Root::with(&[("codex-autorunner.yml", "budget: {day_cost: 5}")]);
    let idle = idle.load(&[], vec![]).unwrap();
    assert!(idle.warnings[0].contains("nothing counts for it"), "{:?}", idle.warnings);
}

#[test]
fn a_repo_sets_neither_prices_nor_budgets() {
    for text in ["ticket_flow: {max_cost: 99}", "budget: {day_cost: 99}", "prices: {currency: X}"] {
        let root = Root::with(&[
            ("codex-autorunner.yml", "prices: {currency: X, table: [{input: 1, output: 1}]}"),
            ("repo/.codex-autorunner/repo.override.yml", text),
        ]);
        let loaded = root.load(&[], vec![]).unwrap();
        let refused = loaded.for_repo(&root.0.path().join("repo")).unwrap_err().to_string();
        assert!(refused.contains("there is no key"), "{text}: {refused}");
    }
}

#[test]
fn budgets_are_kept_in_the_hubs_own_file() {
    use car_api::budget::BudgetLimits;

    let root = Root::with(&[
        ("codex-autorunner.yml", "budget: {day_tokens: 7}\n"),
        (".codex-autorunner/config.yml", "# mine\nserver:\n  port: 1\n"),
    ]);
    let loaded = root.load(&[], vec![]).unwrap();
    let amount = "2.5".parse().ok();
    let limits =
        BudgetLimits { day_cost: amount, max_seconds: Some(60), ..BudgetLimits::default() };
    loaded.keep_budgets(&limits).unwrap();
    let read = |root: &Root| {
        let Config { prices, budget, ticket_flow, .. } = root.load(&[], vec![]).unwrap().config;
        money_for_hub(&prices, &budget, &ticket_flow).limits
    };
    assert_eq!(read(&root), limits, "also what a weaker file has is taken away");
    let text = fs::read_to_string(root.0.path().join(FILE)).unwrap();
    assert!(text.starts_with("# mine\nserver:\n  port: 1\n"), "{text}");
    assert!(!text.contains("max_tokens"), "what nobody has said has no line: {text}");
    loaded.keep_budgets(&BudgetLimits::default()).unwrap();
    assert_eq!(read(&root), BudgetLimits::default());
    // What is stronger than the file is not contradicted.
    let held = root.load(&[("CAR_BUDGET_DAY_TOKENS", "9")], vec![]).unwrap();
    let same = BudgetLimits { day_tokens: Some(9), ..limits };
    held.keep_budgets(&same).unwrap();
    let refused = held.keep_budgets(&limits).unwrap_err().to_string();
    assert!(refused.contains("CAR_BUDGET_DAY_TOKENS"), "{refused}");
}
