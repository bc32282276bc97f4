use super::*;

#[test]
fn patterns_match_components_or_from_the_root() {
    let patterns = Patterns::new(["target/", "*.pyc", "web/dist/", "a?c", ""]);
    for (path, matches) in [
        ("target/", true),
        ("x/target/debug/y", true),
        ("targets", false),
        ("deep/mod.pyc", true),
        ("mod.pyc.keep", false),
        ("web/dist/app.js", true),
        ("other/web/dist", false),
        ("web", false),
        ("abc", true),
        ("ac", false),
        (".env", false),
    ] {
        assert_eq!(patterns.matches(Path::new(path)), matches, "{path}");
    }
    assert!(!Patterns::default().matches(Path::new("a")));
}

#[test]
fn stars_do_not_backtrack_without_end() {
    let text = "a".repeat(20_000);
    assert!(!Patterns::new([format!("{}b", "a*".repeat(50))]).matches(Path::new(&text)));
}
