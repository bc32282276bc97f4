//! Links to files: whoever asked for one follows it once, and nobody else at all.

use car_api::{Code, Scope, filebox::FileBox, token::TokenCreate};

use super::{
    keep::{Keep, Said},
    pairing::{Browser, paired},
};
use crate::harness::TestHub;

async fn hub_with_a_file() -> TestHub {
    let hub = TestHub::start();
    let name = "report.html".parse().unwrap();
    hub.client().file_put(FileBox::Outbox, &name, "<script>1</script>").await.unwrap();
    hub
}

/// A link as a page gets it.
fn link(hub: &TestHub, browser: &Browser) -> String {
    let target = "/api/v1/files/outbox/report.html/link";
    let said = Keep::new(hub.authority()).ask("POST", target, &browser.headers(), "");
    assert_eq!(said.status, 201, "{said:?}");
    said.json()["path"].as_str().unwrap().to_owned()
}

fn follow(hub: &TestHub, path: &str, headers: &str) -> Said {
    Keep::new(hub.authority()).ask("GET", path, headers, "")
}

/// What a browser sends of itself when a link is followed.
fn cookie(browser: &Browser) -> String {
    format!("Sec-Fetch-Site: same-origin\r\nCookie: car_local={}\r\n", browser.cookie)
}

#[tokio::test]
async fn a_browser_follows_its_link_once() {
    let hub = hub_with_a_file().await;
    let browser = paired(&hub, None).await;
    let path = link(&hub, &browser);
    let got = follow(&hub, &path, &cookie(&browser));
    assert_eq!((got.status, got.body.as_str()), (200, "<script>1</script>"));
    assert!(got.header("content-disposition").unwrap().starts_with("attachment; "), "{got:?}");
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    assert_eq!(got.header("cache-control"), Some("no-store"));
    let again = follow(&hub, &path, &cookie(&browser));
    assert_eq!((again.status, again.json()["code"].as_str()), (404, Some("not_found")));
}

#[tokio::test]
async fn nobody_else_follows_it() {
    let hub = hub_with_a_file().await;
    let (browser, other) = (paired(&hub, None).await, paired(&hub, None).await);
    let foreign = format!("Sec-Fetch-Site: cross-site\r\nCookie: car_local={}\r\n", browser.cookie);
    let owner = format!("Authorization: Bearer {}\r\n", hub.token());
    for headers in ["", &cookie(&other), &foreign, &owner] {
        let path = link(&hub, &browser);
        let got = follow(&hub, &path, headers);
        assert!([403, 404].contains(&got.status), "{headers}: {got:?}");
    }
    let guessed = follow(&hub, &format!("/download/{}", "0".repeat(64)), &cookie(&browser));
    assert_eq!(guessed.status, 404);

    // One that was shut out meanwhile has nothing more.
    let path = link(&hub, &browser);
    hub.client().device_delete(&browser.id.parse().unwrap()).await.unwrap();
    assert_eq!(follow(&hub, &path, &cookie(&browser)).status, 404);
}

#[tokio::test]
async fn a_token_follows_its_own_and_gets_no_link_to_what_it_cannot_read() {
    let hub = hub_with_a_file().await;
    let owner = hub.client();
    let create = |name: &str, scopes| TokenCreate {
        name: name.to_owned(),
        scopes: Some(scopes),
        repos: Vec::new(),
        run: None,
        days: None,
    };
    let reader = owner.token_create(&create("reader", vec![Scope::Read])).await.unwrap();
    let writer = owner.token_create(&create("writer", vec![Scope::Write])).await.unwrap();
    let name = "report.html".parse().unwrap();
    let with = |secret: &str| car_client::Client::new(hub.url(), Some(secret)).unwrap();
    let (reader, writer) = (with(&reader.secret), with(&writer.secret));
    let refused = writer.file_link(FileBox::Outbox, &name).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Forbidden));
    let missing = reader.file_link(FileBox::Outbox, &"other.html".parse().unwrap()).await;
    assert_eq!(missing.unwrap_err().code(), Some(Code::NotFound));
    let made = reader.file_link(FileBox::Outbox, &name).await.unwrap();
    assert!(owner.download_get(&made).await.is_err());
    let made = reader.file_link(FileBox::Outbox, &name).await.unwrap();
    let whole = reader.download_get(&made).await.unwrap().whole().await.unwrap();
    assert_eq!(whole, b"<script>1</script>");
}
