use super::*;
use proptest::prelude::*;

fn filters(text: &str) -> Vec<String> {
    let mut found = Sections::default();
    scan(text.as_bytes(), &mut found);
    found.filters.iter().map(|n| String::from_utf8_lossy(n).into_owned()).collect()
}

#[test]
fn every_spelling_of_a_filter_section_is_found() {
    for (text, names) in [
        ("[filter \"lfs\"]\n\tclean = x\n", vec!["lfs"]),
        ("[FILTER \"Lfs\"]", vec!["Lfs"]),
        ("[filter.LFS]", vec!["lfs"]),
        ("[filter.a.b]", vec!["a.b"]),
        ("[filter \t \"a b\"] clean = x", vec!["a b"]),
        ("[filter \"a\\\"b\\\\c\"]", vec!["a\"b\\c"]),
        ("[filter \"a=b\"]", vec!["a=b"]),
        ("[filter \"a]b\"]", vec!["a]b"]),
        ("[core]x=1[filter \"late\"]", vec!["late"]),
        ("[filter \"\"]", vec![""]),
        ("[ filter \"no\"]", vec![]),
        ("[filter \"open", vec![]),
        ("\u{feff}[filter \"bom\"]", vec!["bom"]),
    ] {
        assert_eq!(filters(text), names, "{text:?}");
    }
}

#[test]
fn includes_are_noticed() {
    for text in ["[include]\npath=x", "[Include] path=x", "[includeIf \"gitdir:/x\"]\npath=y"] {
        let mut found = Sections::default();
        scan(text.as_bytes(), &mut found);
        assert!(found.includes, "{text:?}");
    }
}

#[test]
fn included_paths_are_taken_on_any_condition() {
    let list = b"core.bare\nfalse\0include.path\na\0includeif.onbranch:x.y.path\n../b\0filter.include.path\nno\0include.path\0";
    let paths: Vec<&[u8]> = included_paths(list).collect();
    assert_eq!(paths, [b"a".as_slice(), b"../b"]);
}

proptest! {
    #[test]
    fn scanning_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut found = Sections::default();
        scan(&bytes, &mut found);
        let _ = included_paths(&bytes).count();
    }

    #[test]
    fn any_quoted_name_is_found(name in "[^\n\0]{0,20}") {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let found = filters(&format!("[core]\n[filter \"{quoted}\"]\n"));
        prop_assert!(found.contains(&name));
    }
}
