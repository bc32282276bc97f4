//! Pairing a browser, and what somebody else can make of it.

use car_api::{
    Code, Scope,
    pairing::{PairFinish, PairOutcome, PairRequest, PairingCreate, PairingDecide, PairingState},
    token::TokenCreate,
};
use car_client::{Client, ClientError};
use serde_json::json;

use super::keep::{Keep, Said};
use crate::harness::TestHub;

/// A browser that was let in.
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) proof: String,
    pub(crate) id: String,
}

impl Browser {
    pub(crate) fn headers(&self) -> String {
        format!(
            "Sec-Fetch-Site: same-origin\r\nCookie: theme=dark; car_local={}\r\nX-Car-Proof: {}\r\n",
            self.cookie, self.proof
        )
    }
}

/// Pairs a browser the way its page will do it.
pub(crate) async fn paired(hub: &TestHub, scopes: Option<Vec<Scope>>) -> Browser {
    let owner = hub.client();
    let opened = owner.pairing_create(&PairingCreate { scopes, repos: Vec::new() }).await.unwrap();
    let body = PairRequest::Device { code: opened.code, name: "Safari on iPhone".to_owned() };
    let asked = nobody(hub).pair_request(&body).await.unwrap();
    owner.pairing_decide(&asked.pairing, &yes()).await.unwrap();
    let said = finish(hub, &asked.secret, "");
    let cookie = said.header("set-cookie").unwrap();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let (name, rest) = cookie.split_once('=').unwrap();
    assert!(name == "car_local" && !cookie.contains("Secure"), "{cookie}");
    Browser {
        cookie: rest.split(';').next().unwrap().to_owned(),
        proof: said.json()["proof"].as_str().unwrap().to_owned(),
        id: said.json()["device"]["id"].as_str().unwrap().to_owned(),
    }
}

fn finish(hub: &TestHub, secret: &str, headers: &str) -> Said {
    let body = json!({ "secret": secret }).to_string();
    Keep::new(hub.authority()).ask("POST", "/api/v1/pair/finish", headers, &body)
}

fn nobody(hub: &TestHub) -> Client {
    Client::new(hub.url(), None).unwrap()
}

fn yes() -> PairingDecide {
    PairingDecide { approve: true, scopes: None, repos: None, days: None }
}

fn no() -> PairingDecide {
    PairingDecide { approve: false, ..yes() }
}

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Code {
    result.unwrap_err().code().unwrap()
}

fn claim(code: &str) -> PairRequest {
    PairRequest::Device { code: code.to_owned(), name: "a browser".to_owned() }
}

#[tokio::test]
async fn a_code_is_good_once_and_only_with_the_owners_yes() {
    let hub = TestHub::start();
    let (owner, other) = (hub.client(), nobody(&hub));
    let opened = owner.pairing_create(&PairingCreate::default()).await.unwrap();
    assert_eq!(opened.code.len(), 22, "128 bits");
    let asked = other.pair_request(&claim(&opened.code)).await.unwrap();
    assert_eq!(code(other.pair_request(&claim(&opened.code)).await), Code::NotFound, "used");
    let ask = |secret: &str| PairFinish { secret: secret.to_owned(), wait: None };
    assert_eq!(other.pair_finish(&ask(&asked.secret)).await.unwrap(), PairOutcome::Waiting);
    assert_eq!(code(other.pair_finish(&ask(&opened.code)).await), Code::NotFound);
    let seen = owner.pairing_get(&asked.pairing, None, None).await.unwrap();
    assert_eq!((seen.state, seen.name.as_deref()), (PairingState::Waiting, Some("a browser")));
    assert_eq!(seen.address.as_deref(), Some("127.0.0.1"));
    // The one who asks cannot decide.
    assert_eq!(code(other.pairing_decide(&asked.pairing, &yes()).await), Code::Unauthenticated);
    owner.pairing_decide(&asked.pairing, &yes()).await.unwrap();
    let outcome = other.pair_finish(&ask(&asked.secret)).await.unwrap();
    assert!(matches!(outcome, PairOutcome::Device { .. }), "{outcome:?}");
    assert_eq!(code(other.pair_finish(&ask(&asked.secret)).await), Code::IllegalTransition);
    assert_eq!(code(owner.pairing_decide(&asked.pairing, &yes()).await), Code::IllegalTransition);

    // Turned away.
    let opened = owner.pairing_create(&PairingCreate::default()).await.unwrap();
    assert_eq!(
        code(owner.pairing_decide(&opened.pairing.id, &yes()).await),
        Code::IllegalTransition
    );
    let asked = other.pair_request(&claim(&opened.code)).await.unwrap();
    owner.pairing_decide(&asked.pairing, &no()).await.unwrap();
    assert_eq!(other.pair_finish(&ask(&asked.secret)).await.unwrap(), PairOutcome::Denied);
}

#[tokio::test]
async fn guesses_burn_every_open_code_and_names_are_clean() {
    let hub = TestHub::start();
    let (owner, other) = (hub.client(), nobody(&hub));
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(owner.pairing_create(&PairingCreate::default()).await.unwrap());
    }
    let waiting = other.pair_request(&claim(&open[2].code)).await.unwrap();
    for guess in ["", "A", "AAAAAAAAAAAAAAAAAAAAAA", "../x"] {
        assert_eq!(code(other.pair_request(&claim(guess)).await), Code::NotFound);
    }
    owner.pairing_get(&open[0].pairing.id, None, None).await.unwrap();
    assert_eq!(code(other.pair_request(&claim("fifth")).await), Code::NotFound);
    for burnt in &open[..2] {
        assert_eq!(code(other.pair_request(&claim(&burnt.code)).await), Code::NotFound);
        let state = owner.pairing_get(&burnt.pairing.id, None, None).await.unwrap().state;
        assert_eq!(state, PairingState::Expired);
    }
    // Who was there before is not turned away by that.
    owner.pairing_decide(&waiting.pairing, &yes()).await.unwrap();

    let opened = owner.pairing_create(&PairingCreate::default()).await.unwrap();
    for name in ["", "  ", "\u{1b}[2Jroot", "a\nb", "evil\u{202e}eman", &"x".repeat(81)] {
        let body = PairRequest::Device { code: opened.code.clone(), name: name.to_owned() };
        assert_eq!(code(other.pair_request(&body).await), Code::Unprocessable, "{name:?}");
        let body = PairRequest::Token { name: name.to_owned(), scopes: None };
        assert_eq!(code(other.pair_request(&body).await), Code::Unprocessable, "{name:?}");
    }
}

#[tokio::test]
async fn nobody_is_given_more_than_the_giver_has() {
    let mut hub = TestHub::unserved();
    let log = hub.config_dir().with_file_name("log");
    let mut command = hub.command(&["serve", "--port", "0"]);
    command.stderr(std::fs::File::create(&log).unwrap());
    hub.serve_by(command);
    let (owner, other) = (hub.client(), nobody(&hub));
    let terminal = Some(vec![Scope::Terminal]);
    let body = PairRequest::Token { name: "laptop".to_owned(), scopes: terminal.clone() };
    assert_eq!(code(other.pair_request(&body).await), Code::Forbidden);
    // A shell is given by the owner's own token, and by nobody else who has everything.
    let body = PairingCreate { scopes: terminal.clone(), repos: Vec::new() };
    owner.pairing_create(&body).await.unwrap();
    let all = super::token(&owner, Scope::ALL).await;
    let all = Client::new(hub.url(), Some(&all.secret)).unwrap();
    assert_eq!(code(all.pairing_create(&body).await), Code::Forbidden);
    let body = TokenCreate { name: "x".to_owned(), scopes: terminal, ..TokenCreate::default() };
    assert_eq!(code(all.token_create(&body).await), Code::Forbidden);
    let admin = super::token(&owner, &[Scope::Admin]).await;
    let admin = Client::new(hub.url(), Some(&admin.secret)).unwrap();
    let wish = Some(vec![Scope::Run]);
    let body = TokenCreate { name: "x".to_owned(), scopes: wish.clone(), ..TokenCreate::default() };
    assert_eq!(code(admin.token_create(&body).await), Code::Forbidden);
    let body = PairingCreate { scopes: wish.clone(), repos: Vec::new() };
    assert_eq!(code(admin.pairing_create(&body).await), Code::Forbidden);
    let asked = other
        .pair_request(&PairRequest::Token { name: "x".to_owned(), scopes: wish })
        .await
        .unwrap();
    assert_eq!(code(admin.pairing_decide(&asked.pairing, &yes()).await), Code::Forbidden);
    // A bounded number of wishes is open at once.
    let wish = PairRequest::Token { name: "x".to_owned(), scopes: None };
    let mut open = 1;
    let refusal = loop {
        match other.pair_request(&wish).await {
            Ok(_) => open += 1,
            Err(error) => break error,
        }
        assert!(open <= 64);
    };
    assert_eq!((open, refusal.code()), (16, Some(Code::RateLimited)));
    // Whose doing that is, is said once, however often it happens.
    for _ in 0..8 {
        assert_eq!(code(other.pair_request(&wish).await), Code::RateLimited);
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("too many others do").count(), 1, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    // Those who pair browsers are not kept from it.
    owner.pairing_create(&PairingCreate::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cookie_is_worth_something_only_beside_its_proof_and_from_the_hubs_own_page() {
    let mut hub = TestHub::unserved();
    let config = hub.root().join("codex-autorunner.override.yml");
    std::fs::write(config, "server:\n  allowed_hosts: [box.tail1.ts.net]\n").unwrap();
    hub.serve(&[]);
    let browser = paired(&hub, None).await;
    let (cookie, proof) = (&browser.cookie, &browser.proof);
    let mut keep = Keep::new(hub.authority());
    let own = format!("Cookie: car_local={cookie}\r\n");
    let proved = format!("{own}X-Car-Proof: {proof}\r\n");
    let mut ask = |method: &str, headers: String| {
        keep.ask(
            method,
            if method == "GET" { "/api/v1/repos" } else { "/api/v1/hub/scan" },
            &headers,
            "",
        )
        .status
    };
    let page = format!("Origin: {}\r\n", hub.url());
    assert_eq!(ask("GET", proved.clone()), 200);
    assert_eq!(ask("POST", format!("{proved}Sec-Fetch-Site: same-origin\r\n")), 200);
    assert_eq!(ask("POST", format!("{proved}{page}")), 200);
    // A page on another port has the cookie: the browser sends it along, whatever the port.
    for method in ["GET", "POST"] {
        for more in [
            "",
            "Sec-Fetch-Site: same-origin\r\n",
            "Sec-Fetch-Site: same-site\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: none\r\n",
            "Origin: http://localhost:5173\r\n",
            "Origin: http://127.0.0.1:5173\r\n",
            "Origin: null\r\n",
            "X-Car-Proof: \r\n",
            "X-Car-Proof: x\r\nSec-Fetch-Site: same-origin\r\n",
        ] {
            let status = ask(method, format!("{own}{more}"));
            assert!([401, 403].contains(&status), "{method} {more:?}: {status}");
        }
        // Even with the proof, not from another page.
        for more in [
            "Sec-Fetch-Site: same-site\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
            "Origin: http://localhost:5173\r\n",
            "Origin: null\r\n",
        ] {
            assert_eq!(ask(method, format!("{proved}{more}")), 403, "{method} {more:?}");
        }
    }
    assert_eq!(ask("POST", proved.clone()), 403, "neither header: no page of ours");
    let twice = format!("{own}{proved}Sec-Fetch-Site: same-origin\r\n");
    assert_eq!(ask("GET", twice), 401, "two cookies");
    // The cookie of this machine is none under another name, and the other way round.
    let named = "Host: box.tail1.ts.net\r\nSec-Fetch-Site: same-origin\r\n";
    assert_eq!(ask("GET", format!("{proved}{named}")), 401);
    let other = format!("Cookie: __Host-car={cookie}\r\nX-Car-Proof: {proof}\r\n");
    assert_eq!(ask("GET", format!("{other}Sec-Fetch-Site: same-origin\r\n")), 401);
    assert_eq!(ask("GET", format!("{other}{named}")), 200);

    // Behind TLS the cookie is bound to the host and never sent in the clear.
    let owner = hub.client();
    let opened = owner.pairing_create(&PairingCreate::default()).await.unwrap();
    assert_eq!(opened.hosts, ["box.tail1.ts.net"]);
    let asked = nobody(&hub).pair_request(&claim(&opened.code)).await.unwrap();
    owner.pairing_decide(&asked.pairing, &yes()).await.unwrap();
    let said = finish(&hub, &asked.secret, "Host: box.tail1.ts.net\r\n");
    let cookie = said.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-car=car_ses_") && cookie.contains("; Secure"), "{cookie}");

    // Logging out ends it.
    let headers = browser.headers();
    let said = keep.ask("DELETE", "/api/v1/credential", &headers, "");
    assert_eq!(said.status, 204);
    assert!(said.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(keep.ask("GET", "/api/v1/repos", &headers, "").status, 401);
    assert!(owner.device_list().await.unwrap().items.iter().all(|d| d.id.as_str() != browser.id));
}
