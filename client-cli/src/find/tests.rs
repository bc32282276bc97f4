use super::{
    contexts::{Context, Contexts},
    *,
};
use crate::credentials::Credential;

struct World {
    _dir: tempfile::TempDir,
    wanted: Wanted,
    root: PathBuf,
}

/// A hub's root with a repo inside it, an empty configuration, and the caller inside the repo.
fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(dir.path()).unwrap();
    let root = base.join("hub");
    let cwd = root.join("repos/demo/src");
    fs::create_dir_all(&cwd).unwrap();
    fs::create_dir_all(root.join("repos/demo/.codex-autorunner")).unwrap();
    fs::create_dir_all(root.join(".codex-autorunner")).unwrap();
    fs::write(root.join(".codex-autorunner/manifest.yml"), "version: 3\n").unwrap();
    let wanted = Wanted { cwd, config_dir: Some(base.join("config")), ..Wanted::default() };
    World { _dir: dir, wanted, root }
}

impl World {
    fn serve(&self, url: &str, instance: &str) {
        let text = format!(r#"{{"url":"{url}","pid":1,"instance":"{instance}","version":"0"}}"#);
        fs::write(self.root.join(".codex-autorunner/hub_endpoint.json"), text).unwrap();
    }

    fn credential(&self, instance: &str, root: &Path) {
        let credential = Credential {
            url: "http://127.0.0.1:4173".to_owned(),
            root: root.to_path_buf(),
            token: "secret".to_owned(),
        };
        let dir = self.wanted.config_dir.as_deref().unwrap();
        credentials::store(dir, instance, credential).unwrap();
        credentials::started(dir, instance).unwrap();
    }

    fn contexts(&self, current: Option<&str>) {
        let context = Context {
            url: "https://box.example".to_owned(),
            token: Some("boxed".to_owned()),
            instance: None,
        };
        let all = Contexts {
            current: current.map(str::to_owned),
            contexts: BTreeMap::from([("box".to_owned(), context)]),
        };
        contexts::save(self.wanted.config_dir.as_deref().unwrap(), &all).unwrap();
    }

    fn find(&self, change: impl FnOnce(&mut Wanted)) -> Result<Found, FindError> {
        let mut wanted = self.wanted.clone();
        change(&mut wanted);
        find(&wanted)
    }
}

use std::collections::BTreeMap;

#[test]
fn inside_a_root_its_own_hub_is_meant() {
    let w = world();
    w.serve("http://127.0.0.1:5000", "i1");
    w.credential("i1", &w.root);
    let expected = Found {
        url: "http://127.0.0.1:5000".to_owned(),
        token: Some("secret".to_owned()),
        socket: None,
        root: Some(w.root.clone()),
        instance: Some("i1".to_owned()),
        source: Source::Directory,
    };
    assert_eq!(w.find(|_| ()).unwrap(), expected);
    let elsewhere = w.find(|wanted| {
        wanted.cwd = std::env::temp_dir();
        wanted.path = Some(w.root.join("repos"));
    });
    assert_eq!(elsewhere.unwrap(), expected);
    let by_directory = w.find(|wanted| {
        wanted.cwd = std::env::temp_dir();
        wanted.hub = Some(w.root.display().to_string());
    });
    assert_eq!(by_directory.unwrap(), expected);
}

#[test]
fn outside_every_root_the_last_started_hub_is_meant() {
    let w = world();
    w.serve("http://127.0.0.1:5000", "i1");
    w.credential("i1", &w.root);
    let found = w.find(|wanted| wanted.cwd = std::env::temp_dir()).unwrap();
    assert_eq!(found.source, Source::LastStarted);
    assert_eq!(found.url, "http://127.0.0.1:5000");
}

#[test]
fn an_endpoint_file_gets_no_token_that_was_not_made_for_it() {
    for (url, instance, own_root) in [
        ("http://127.0.0.1:5000", "another", true),
        ("http://127.0.0.1:5000", "i1", false),
        ("http://evil.example", "i1", true),
        ("http://127.0.0.1.evil.example", "i1", true),
        ("http://localhost@evil.example", "i1", true),
    ] {
        let w = world();
        w.serve(url, instance);
        let root = if own_root { w.root.clone() } else { w.root.join("repos") };
        w.credential("i1", &root);
        assert_eq!(w.find(|_| ()).unwrap().token, None, "{url} {instance} {own_root}");
    }
}

#[test]
fn a_socket_is_taken_when_it_is_one_of_this_users() {
    let w = world();
    w.credential("i1", &w.root);
    let path = w.root.join("hub.sock");
    let text = format!(
        r#"{{"url":"http://127.0.0.1:5000","socket":"{}","instance":"i1"}}"#,
        path.display()
    );
    fs::write(w.root.join(".codex-autorunner/hub_endpoint.json"), text).unwrap();
    let socket = || w.find(|_| ()).unwrap().socket;
    assert_eq!(socket(), None, "there is none");
    fs::write(&path, "").unwrap();
    assert_eq!(socket(), None, "a file");
    fs::remove_file(&path).unwrap();
    let other = w.root.join("other.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&other).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    assert_eq!(socket(), None, "it leads somewhere else");
    fs::remove_file(&path).unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(socket(), Some(path));
}

#[test]
fn a_root_without_a_serving_hub_is_said_by_name() {
    let w = world();
    w.credential("i1", &w.root);
    for cwd in [w.wanted.cwd.clone(), std::env::temp_dir()] {
        let error = w.find(|wanted| wanted.cwd = cwd).unwrap_err();
        assert!(matches!(&error, FindError::NotRunning { root } if *root == w.root), "{error}");
    }
}

#[test]
fn a_chosen_context_goes_before_the_directory_and_an_address_before_both() {
    let w = world();
    w.serve("http://127.0.0.1:5000", "i1");
    w.contexts(Some("box"));
    let found = w.find(|_| ()).unwrap();
    assert_eq!(found.source, Source::Context("box".to_owned()));
    assert_eq!(found.token.as_deref(), Some("boxed"));

    let found = w.find(|wanted| wanted.hub = Some("http://127.0.0.1:9/".to_owned())).unwrap();
    assert_eq!((found.url.as_str(), found.token), ("http://127.0.0.1:9", None));
    let found = w.find(|wanted| wanted.hub = Some("https://box.example/".to_owned())).unwrap();
    assert_eq!(found.token.as_deref(), Some("boxed"));

    w.contexts(None);
    assert_eq!(w.find(|_| ()).unwrap().source, Source::Directory);
    let found = w.find(|wanted| wanted.hub = Some("box".to_owned())).unwrap();
    assert_eq!(found.url, "https://box.example");
}

#[test]
fn a_token_the_caller_brings_is_the_one_used() {
    let w = world();
    w.serve("http://127.0.0.1:5000", "i1");
    w.credential("i1", &w.root);
    w.contexts(None);
    for hub in [None, Some("box"), Some("http://127.0.0.1:9")] {
        let found = w.find(|wanted| {
            wanted.hub = hub.map(str::to_owned);
            wanted.token = Some("mine".to_owned());
        });
        assert_eq!(found.unwrap().token.as_deref(), Some("mine"), "{hub:?}");
    }
}

#[test]
fn nothing_at_all_is_said_so() {
    let w = world();
    let outside = |hub: Option<&str>| {
        w.find(|wanted| {
            wanted.cwd = std::env::temp_dir();
            wanted.hub = hub.map(str::to_owned);
        })
        .unwrap_err()
    };
    assert!(matches!(outside(None), FindError::NoHub));
    assert!(matches!(outside(Some("nowhere")), FindError::NoSuchContext(_)));
}
