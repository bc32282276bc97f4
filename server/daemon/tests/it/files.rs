//! File boxes: what goes in comes out as it was, in pieces, and nothing else comes out.

use std::{
    fs,
    os::unix::fs::symlink,
    time::{Duration, Instant},
};

use car_api::{BoxFileName, Code, EventKind, filebox::FileBox};
use car_client::{Client, EventFilter, RawRequest};

use crate::{
    harness::{DEADLINE, TestHub},
    work::{car_command, repo},
};

fn name(text: &str) -> BoxFileName {
    text.parse().unwrap()
}

/// Waits for the last word the log has on a file of a box.
async fn told(client: &Client, file: &str, size: Option<u64>) {
    let filter = EventFilter { kinds: vec!["file_changed".to_owned()], ..EventFilter::default() };
    let begun = Instant::now();
    loop {
        let events = client.event_list(0, None, &filter).await.unwrap().items;
        let last = events.iter().rev().find_map(|event| {
            let EventKind::FileChanged { name, size, .. } = &event.event else { return None };
            (name.as_str() == file).then_some(*size)
        });
        if last == Some(size) {
            return;
        }
        assert!(begun.elapsed() < DEADLINE, "{file}: {last:?}, not {size:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_goes_in_comes_out_as_it_was() {
    let hub = TestHub::start();
    let client = hub.client();
    let (demo, dir) = repo(&hub, &client, "demo").await;
    // More than one piece, with every byte.
    let large: Vec<u8> =
        (0..9_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let odd = name("ein Plan – 2.html");
    let made = client.file_put(FileBox::Inbox, &odd, large.clone()).await.unwrap();
    assert_eq!((made.size, made.media_type.as_str()), (9_000_000, "text/html"));
    let whole = client.file_get(FileBox::Inbox, &odd).await.unwrap().whole().await.unwrap();
    assert!(whole == large, "another file came back");
    told(&client, odd.as_str(), Some(9_000_000)).await;

    // However it is called, a browser keeps it and shows nothing.
    let target = "/api/v1/files/inbox/ein%20Plan%20%E2%80%93%202.html";
    let bearer = format!("Authorization: Bearer {}", hub.token());
    let answer = hub.send("HEAD", target, &[&bearer], "");
    let header = |name: &str| answer.header(name).unwrap().to_owned();
    assert!(
        header("content-disposition").starts_with("attachment; filename=\"ein Plan _ 2.html\"")
    );
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(header("content-length"), "9000000");

    // One byte too many, and nothing is there, and what was there stays.
    let over = vec![1; 10_000_001];
    let refused = client.file_put(FileBox::Inbox, &odd, over.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::TooLarge), "{refused}");
    let fresh = client.file_put(FileBox::Inbox, &name("fresh"), over).await.unwrap_err();
    assert_eq!(fresh.code(), Some(Code::TooLarge));
    let listed = client.file_list(None).await.unwrap().items;
    assert_eq!(
        listed.iter().map(|f| (f.name.as_str(), f.size)).collect::<Vec<_>>(),
        [(odd.as_str(), 9_000_000)]
    );
    let left = fs::read_dir(hub.root().join(".codex-autorunner/filebox/inbox")).unwrap().count();
    assert_eq!(left, 1, "a part of a file was left");

    // Files an agent writes by itself are told of as well, also in a box that is new.
    let outbox = dir.join(".codex-autorunner/filebox/outbox");
    fs::create_dir_all(&outbox).unwrap();
    fs::write(outbox.join("report.md"), "done").unwrap();
    told(&client, "report.md", Some(4)).await;
    fs::remove_file(outbox.join("report.md")).unwrap();
    told(&client, "report.md", None).await;

    // By the command line, in and out.
    let here = tempfile::tempdir().unwrap();
    let file = here.path().join("notes.txt");
    fs::write(&file, "some notes").unwrap();
    let put = car_command(&hub, &["files", "put", file.to_str().unwrap(), "-r", demo.as_str()]);
    let put = { put }.output().unwrap();
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
    let mut get = car_command(&hub, &["files", "get", "inbox", "notes.txt", "-r", demo.as_str()]);
    let kept = get.current_dir(here.path()).output().unwrap();
    assert!(!kept.status.success(), "it took the place of a file that was there");
    get.args(["--output", "-"]);
    assert_eq!(get.output().unwrap().stdout, b"some notes");
}

#[tokio::test]
async fn nothing_else_comes_out() {
    let hub = TestHub::start();
    let client = hub.client();
    let (demo, dir) = repo(&hub, &client, "demo").await;
    let car = dir.join(".codex-autorunner");
    let inbox = car.join("filebox/inbox");
    fs::create_dir_all(&inbox).unwrap();
    let secret = hub.root().join("secret.txt");
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, inbox.join("link")).unwrap();
    fs::hard_link(&secret, inbox.join("hard")).unwrap();
    fs::create_dir(inbox.join("dir")).unwrap();
    fs::write(inbox.join(".hidden"), "x").unwrap();
    fs::write(inbox.join("plain"), "x").unwrap();
    let fifo = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, inbox.join("fifo"), rustix::fs::FileType::Fifo, fifo, 0)
        .unwrap();
    // What CAR left elsewhere is read; of two with one name the one in the box counts.
    for (place, text) in [
        ("pma/inbox/plain", "older"),
        ("uploads/telegram-files/topic-7/inbox/photo.png", "png"),
        ("filebox/outbox/pending/waits", "w"),
        ("filebox/outbox/sent/went", "s"),
    ] {
        let path = car.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let listed = client.repo_file_list(&demo, None).await.unwrap().items;
    let listed: Vec<_> = listed.iter().map(|f| format!("{}/{}", f.r#box, f.name)).collect();
    assert_eq!(listed, ["inbox/photo.png", "inbox/plain", "outbox/waits", "outbox/went"]);
    for bad in ["link", "hard", "dir", "fifo"] {
        let got = client.repo_file_get(&demo, FileBox::Inbox, &name(bad)).await;
        assert!(got.is_err(), "{bad} came out");
    }
    for bad in ["link", "fifo", "dir"] {
        let put = client.repo_file_put(&demo, FileBox::Inbox, &name(bad), "x").await;
        assert!(put.is_err(), "{bad} was written through");
    }
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
    let plain = client.repo_file_get(&demo, FileBox::Inbox, &name("plain")).await.unwrap();
    assert_eq!(plain.whole().await.unwrap(), b"x");
    client.repo_file_delete(&demo, FileBox::Inbox, &name("plain")).await.unwrap();
    assert!(!car.join("pma/inbox/plain").exists(), "the older one came back");

    for path in ["..%2f..%2fconfig.yml", "%2e%2e", ".hidden", "a%2fb", "a%00b", "a%0ab", "%2fetc"] {
        let request = RawRequest {
            method: "GET".to_owned(),
            path: format!("repos/demo/files/inbox/{path}"),
            ..RawRequest::default()
        };
        let code = client.raw(request).await.unwrap_err().code();
        assert!(matches!(code, Some(Code::BadRequest | Code::NotFound)), "{path}: {code:?}");
    }
    // A form of another site can send this, and a file cannot come that way.
    let form = RawRequest {
        method: "PUT".to_owned(),
        path: "repos/demo/files/inbox/form".to_owned(),
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: Some(b"x".to_vec()),
        ..RawRequest::default()
    };
    let refused = client.raw(form).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::UnsupportedMediaType));
}
