use super::*;
use proptest::prelude::*;

#[test]
fn raw_and_numstat_are_joined_by_path() {
    let bytes = b":100644 100644 a b M\0x\ty\0:000000 100644 a b A\0bin\0:100644 000000 a b D\0gone\0:100644 000000 a b U\0c\0:100644 100644 a b M\0c\x003\t1\tx\ty\0-\t-\tbin\x000\t7\tgone\0";
    let stat = |path: &str, insertions, deletions, status| FileStat {
        path: path.into(),
        insertions,
        deletions,
        status,
    };
    let want = vec![
        stat("x\ty", Some(3), Some(1), FileChange::Modified),
        stat("bin", None, None, FileChange::Added),
        stat("gone", Some(0), Some(7), FileChange::Deleted),
        stat("c", Some(0), Some(0), FileChange::Unmerged),
    ];
    assert_eq!(parse_raw_numstat(bytes), Ok(want));
}

#[test]
fn lines_are_counted_as_git_does() {
    for (bytes, lines) in [
        (b"".as_slice(), Some(0)),
        (b"a", Some(1)),
        (b"a\n", Some(1)),
        (b"a\nb", Some(2)),
        (b"\n\n", Some(2)),
        (b"a\0b", None),
    ] {
        assert_eq!(count_lines(bytes), lines, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn parsing_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_raw_numstat(&bytes);
    }

    #[test]
    fn parsing_is_total_near_the_format(text in "(:1 1 a b [MADTUX]\0[a-c]?\0|[0-9-]{1,3}\t?[0-9-]\t[a-c]\0){0,8}") {
        let _ = parse_raw_numstat(text.as_bytes());
    }
}
