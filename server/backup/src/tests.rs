use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use car_files::beneath::Dir;

use crate::{Error, SUMS, Writer, clear_halves, first, unpack, verify, walk};

fn archive(dir: &Path) -> std::path::PathBuf {
    let tree = dir.join("tree");
    fs::create_dir_all(tree.join("a/b")).unwrap();
    fs::write(tree.join("a/b/one.md"), "one\n").unwrap();
    fs::write(tree.join("two"), vec![7; 300_000]).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", tree.join("link")).unwrap();
    fs::write(tree.join("a/lock"), "").unwrap();
    let dest = dir.join("kept/it.tar.zst");
    let mut writer = Writer::create(&dest).unwrap();
    writer.add("about.json", b"{}", 1_000_000).unwrap();
    let found = walk(&tree, &|path| path.ends_with("lock")).unwrap();
    assert_eq!(found.files, [("a/b/one.md".to_owned(), 4), ("two".to_owned(), 300_000)]);
    assert_eq!(found.left, ["link: a symlink"]);
    let root = Dir::open(&tree).unwrap();
    let mut told = 0;
    for (path, _) in &found.files {
        let progress = &mut |at| {
            told = at;
            true
        };
        assert!(writer.add_file(&format!("tree/{path}"), &root, path, progress).unwrap());
    }
    assert_eq!(told, 300_004);
    assert!(!writer.add_file("tree/gone", &root, "gone", &mut |_| true).unwrap());
    assert!(!dest.exists(), "it has its name before it is whole");
    assert_eq!(writer.finish().unwrap().entries, 3);
    dest
}

#[test]
fn what_goes_in_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    let dest = archive(dir.path());
    assert_eq!(fs::metadata(&dest).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(dest.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(first(&dest).unwrap(), ("about.json".to_owned(), b"{}".to_vec()));
    verify(&dest).unwrap();
    let out = dir.path().join("out");
    let placed = unpack(&dest, &mut |name| Ok(Some(out.join(name)))).unwrap();
    assert_eq!(placed, 3);
    assert_eq!(fs::read(out.join("tree/two")).unwrap(), vec![7; 300_000]);
    // Nothing is written over.
    assert!(unpack(&dest, &mut |name| Ok(Some(out.join(name)))).is_err());
    assert!(matches!(Writer::create(&dest), Err(Error::Io { .. })));
}

#[test]
fn damage_is_seen_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dest = archive(dir.path());
    let good = fs::read(&dest).unwrap();
    let mut passed = 0;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&dest, &bad).unwrap();
        // A few bits of a frame say nothing (RFC 8878): then everything comes out as it was.
        if verify(&dest).is_ok() {
            let out = dir.path().join(format!("flipped-{at}"));
            unpack(&dest, &mut |name| Ok(Some(out.join(name)))).unwrap();
            assert_eq!(fs::read(out.join("tree/two")).unwrap(), vec![7; 300_000], "{at}");
            assert_eq!(fs::read(out.join("tree/a/b/one.md")).unwrap(), b"one\n", "{at}");
            passed += 1;
        }
        fs::write(&dest, &good[..at]).unwrap();
        assert!(verify(&dest).is_err(), "{at} of {} bytes passed", good.len());
    }
    assert!(passed < 10, "{passed} of {} flipped bits were not seen", good.len());
}

#[test]
fn nothing_half_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("it.tar.zst");
    let left = || fs::read_dir(dir.path()).unwrap().count();
    let mut writer = Writer::create(&dest).unwrap();
    fs::write(dir.path().join("one"), "1").unwrap();
    let root = Dir::open(dir.path()).unwrap();
    // Nobody else may write the same one meanwhile, and it is not cleared away.
    assert!(Writer::create(&dest).is_err());
    clear_halves(dir.path()).unwrap();
    assert_eq!(left(), 2);
    let stopped = writer.add_file("one", &root, "one", &mut |_| false);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    drop(writer);
    assert_eq!(left(), 1);
    // What a crash left goes.
    fs::write(dir.path().join(".half-it.tar.zst"), "half").unwrap();
    clear_halves(dir.path()).unwrap();
    assert_eq!(left(), 1);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("bad.tar.zst");
    for name in ["../up", "/etc/passwd", "a/../../up"] {
        let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        tar.append(&header, &[][..]).unwrap();
        let bytes = tar.into_inner().unwrap().finish().unwrap();
        fs::write(&dest, bytes).unwrap();
        let out = dir.path().join("out");
        let refused = unpack(&dest, &mut |name| Ok(Some(out.join(name)))).unwrap_err();
        assert!(refused.to_string().contains("leads elsewhere"), "{name}: {refused}");
        assert!(!refused.to_string().contains(SUMS));
    }
}
