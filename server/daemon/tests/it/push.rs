//! A push to a browser: delivered to a push service, read by the browser alone, and answered from
//! the notification.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use car_api::{Scope, run::RunStatus};
use serde_json::{Value, json};

use crate::{
    credentials::{
        keep::{Keep, Said},
        pairing::{Browser, paired},
    },
    harness::DEADLINE,
    stage::{FINISH, Stage},
};

/// The keys a browser makes when it subscribes.
struct Receiver {
    own: PrivateKey,
    auth: [u8; 16],
}

impl Receiver {
    fn new() -> Self {
        Self { own: PrivateKey::generate(&ECDH_P256).unwrap(), auth: *b"sixteen bytes ok" }
    }

    fn public(&self) -> Vec<u8> {
        self.own.compute_public_key().unwrap().as_ref().to_vec()
    }

    /// Reads a message as RFC 8291 says.
    fn read(&self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        let (size, rest) = rest.split_at(5);
        let (sender, sealed) = rest.split_at(usize::from(size[4]));
        let shared = Salt::new(HKDF_SHA256, &self.auth);
        let peer = UnparsedPublicKey::new(&ECDH_P256, sender);
        let prk = agree(&self.own, peer, (), |secret| Ok(shared.extract(secret))).unwrap();
        let ikm: [u8; 32] = fill(&prk, &[b"WebPush: info\0", &self.public(), sender]);
        let prk = Salt::new(HKDF_SHA256, salt).extract(&ikm);
        let key: [u8; 16] = fill(&prk, &[b"Content-Encoding: aes128gcm\0"]);
        let nonce: [u8; 12] = fill(&prk, &[b"Content-Encoding: nonce\0"]);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut text = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = key.open_in_place(nonce, Aad::empty(), &mut text).unwrap();
        serde_json::from_slice(plain.strip_suffix(&[2]).unwrap()).unwrap()
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn fill<const N: usize>(prk: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    prk.expand(info, Length(N)).unwrap().fill(&mut out).unwrap();
    out
}

/// Takes one message as a push service does; its head and body.
fn delivered(service: &TcpListener) -> (String, Vec<u8>) {
    let (stream, _) = service.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let mut stream: TcpStream = reader.into_inner();
    stream
        .write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .unwrap();
    (head, body)
}

fn ask(stage: &Stage, method: &str, path: &str, browser: Option<&Browser>, body: &Value) -> Said {
    let headers = browser.map_or_else(String::new, Browser::headers);
    let target = format!("/api/v1/push/{path}");
    Keep::new(stage.hub.authority()).ask(method, &target, &headers, &body.to_string())
}

#[tokio::test]
async fn a_question_is_pushed_read_and_answered_once() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap();
    let stage = Stage::start(&format!("notifications:\n  push_services: [\"{address}\"]\n"));
    let all = vec![Scope::Read, Scope::Write, Scope::Run, Scope::Approve];
    let browser = paired(&stage.hub, Some(all)).await;
    let receiver = Receiver::new();
    let mut wanted = json!({
        "endpoint": format!("http://{address}/push/secret"),
        "p256dh": BASE64.encode(receiver.public()),
        "auth": BASE64.encode(receiver.auth),
    });
    let subscribed = ask(&stage, "PUT", "subscription", Some(&browser), &wanted);
    assert_eq!(subscribed.status, 200, "{}", subscribed.body);
    assert_eq!(subscribed.json()["target"], address.to_string(), "nothing secret is shown");
    // The hub is sent to no other place.
    wanted["endpoint"] = json!("http://169.254.169.254/latest");
    assert_eq!(ask(&stage, "PUT", "subscription", Some(&browser), &wanted).status, 422);

    let repo = stage.repo("demo").await;
    let asks = r#"{"on": 1, "dispatch": {"mode": "pause", "title": "Which?", "body": "A or B?"}}"#;
    let finish = FINISH.replace('{', r#"{"from": 2, "#);
    repo.ticket(1, "", &format!("{asks}, {finish}"));
    let run = stage.run(&repo).await;
    let (head, body) = tokio::task::spawn_blocking(move || delivered(&service)).await.unwrap();
    assert!(head.contains("content-encoding: aes128gcm") && head.contains("vapid t="), "{head}");
    let pushed = receiver.read(&body);
    assert_eq!(pushed["kind"], "attention", "{pushed}");
    assert_eq!(
        (&pushed["open_items"], &pushed["open"]),
        (&json!(1), &json!(format!("#/runs/{run}")))
    );
    let actions: Vec<_> = pushed["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["action"].as_str().unwrap())
        .collect();
    assert!(actions.contains(&"reply"), "{pushed}");

    // Without words there is no answer, and the token is not used up by that.
    let token = pushed["token"].as_str().unwrap();
    let empty = json!({ "token": token, "action": "reply" });
    assert_eq!(ask(&stage, "POST", "act", None, &empty).status, 422);
    let (front, end) = token.rsplit_once('.').unwrap();
    let spoilt = format!("{front}.A{}", &end[1..]);
    let forged = json!({ "token": spoilt, "action": "reply", "body": "B" });
    assert_eq!(ask(&stage, "POST", "act", None, &forged).status, 401);
    let answer = json!({ "token": token, "action": "reply", "body": "Take B." });
    let acted = ask(&stage, "POST", "act", None, &answer);
    assert_eq!(acted.status, 200, "{}", acted.body);
    let again = ask(&stage, "POST", "act", None, &answer);
    assert_eq!(again.status, 401, "replayed: {}", again.body);
    let done = stage.until(&run, "is completed", |run| run.state.status() == RunStatus::Completed);
    done.await;
    let replies = stage.client().run_replies(&run).await.unwrap().items;
    assert_eq!(replies.iter().map(|r| r.body.trim()).collect::<Vec<_>>(), ["Take B."]);

    // Another hub takes none of it, and neither does this one when the device is gone.
    let other = Stage::start("");
    assert_eq!(ask(&other, "POST", "act", None, &answer).status, 401, "foreign");
    let key = stage.hub.root().join(".codex-autorunner/secrets/push.json");
    assert!(fs::metadata(key).is_ok());
    stage.client().device_delete(&browser.id.parse().unwrap()).await.unwrap();
    assert!(
        stage.client().channel_list(&car_api::PageQuery::default()).await.unwrap().items.is_empty()
    );
}
