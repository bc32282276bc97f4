//! Hostile signed tokens: none is taken.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use car_api::token::TokenExchange;
use serde_json::{Value, json};

use super::{Key, b64, keep::Keep, seconds, signed};
use crate::harness::TestHub;

struct Forge {
    key: Key,
    head: Value,
    claims: Value,
    now: i64,
}

impl Forge {
    fn head(&self, changes: Value) -> String {
        self.key.sign(&changed(&self.head, changes).to_string(), &self.claims.to_string())
    }

    fn claims(&self, changes: Value) -> String {
        self.key.sign(&self.head.to_string(), &changed(&self.claims, changes).to_string())
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        self.key.sign(&self.head.to_string(), &claims.to_string())
    }

    /// The claims as text with something put in front of the first.
    fn prefixed(&self, text: &str) -> String {
        let claims = self.claims.to_string().replacen('{', &format!("{{{text},"), 1);
        self.key.sign(&self.head.to_string(), &claims)
    }
}

fn changed(object: &Value, changes: Value) -> Value {
    let mut all = object.clone();
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// Every way to lie about the header.
fn heads(f: &Forge, all: &mut Vec<(String, String)>) {
    let mut add = |name: String, token: String| all.push((name, token));
    for alg in [
        "none", "None", "NONE", "nOnE", "", "eddsa", "EDDSA", "Ed25519", "HS256", "HS384", "HS512",
        "RS256", "PS256", "ES256", "ES384",
    ] {
        add(format!("alg {alg}"), f.head(json!({ "alg": alg })));
        let head = changed(&f.head, json!({ "alg": alg })).to_string();
        add(
            format!("alg {alg}, unsigned"),
            format!("{}.{}.", b64(head), b64(f.claims.to_string())),
        );
    }
    let hs = changed(&f.head, json!({ "alg": "HS256" })).to_string();
    let public = f.key.public().to_vec();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(&public)
    );
    let hex: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
    for (name, secret) in [
        ("raw", public.clone()),
        ("PEM", pem.into_bytes()),
        ("hex", hex.into_bytes()),
        ("kid", f.key.id.clone().into_bytes()),
        ("nothing", Vec::new()),
    ] {
        let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        let token = signed(&hs, &f.claims.to_string(), |m| {
            aws_lc_rs::hmac::sign(&mac, m).as_ref().to_vec()
        });
        add(format!("key confusion by {name}"), token);
    }
    for kid in [
        json!("key_unknown"),
        json!(""),
        json!(null),
        json!(1),
        json!(["a"]),
        json!("../keys/x"),
        json!("/dev/null"),
        json!("' or 1=1 --"),
        json!(f.key.id.to_uppercase()),
        json!(format!("{} ", f.key.id)),
        json!(format!("{}\u{0}", f.key.id)),
        json!(format!("keys/{}.json", f.key.id)),
        json!("https://evil.test/key"),
    ] {
        add(format!("kid {kid}"), f.head(json!({ "kid": kid })));
    }
    for typ in ["JWT", "jwt", "car-run+jwt", "AT+JWT", "application/at+jwt", "at+jwt ", ""] {
        add(format!("typ {typ:?}"), f.head(json!({ "typ": typ })));
    }
    let own = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(&public)});
    for (name, value) in [
        ("jku", json!("https://evil.test/jwks")),
        ("x5u", json!("https://evil.test/x")),
        ("jwk", own),
        ("x5c", json!(["MII"])),
        ("x5t", json!("AA")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A256GCM")),
        ("extra", json!(1)),
    ] {
        add(format!("header {name}"), f.head(json!({ name: value })));
    }
    for missing in ["alg", "typ", "kid"] {
        let mut head = f.head.clone();
        head.as_object_mut().unwrap().remove(missing);
        add(format!("no {missing}"), f.key.sign(&head.to_string(), &f.claims.to_string()));
    }
    for twice in [r#""alg":"none""#, r#""kid":"x""#, r#""typ":"JWT""#] {
        let head = f.head.to_string().replacen('{', &format!("{{{twice},"), 1);
        add(format!("header twice {twice}"), f.key.sign(&head, &f.claims.to_string()));
    }
    for head in ["", "null", "[]", "\"EdDSA\"", "{", "{}x"] {
        add(format!("head {head:?}"), f.key.sign(head, &f.claims.to_string()));
    }
}

/// Every way to lie in the claims, with a good signature.
fn claims(f: &Forge, all: &mut Vec<(String, String)>) {
    let mut add = |name: String, token: String| all.push((name, token));
    let now = f.now;
    let names: Vec<String> = f.claims.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names.len(), 9, "iss aud sub jti scope epoch iat nbf exp");
    for name in names {
        add(format!("no {name}"), f.without(&name));
        add(format!("{name} null"), f.claims(json!({ &name: null })));
        add(format!("{name} an object"), f.claims(json!({ &name: {} })));
        add(format!("{name} twice"), f.prefixed(&format!("\"{name}\":{}", f.claims[&name])));
    }
    for (name, value) in [
        ("exp", json!(now - 60)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(now as f64 + 60.5)),
        ("exp", json!(1e300)),
        ("exp", json!("9999999999")),
        ("exp", json!(u64::MAX)),
        ("exp", json!(now + 86_400)),
        ("exp", json!(true)),
        ("nbf", json!(now + 60)),
        ("nbf", json!(now - 7200)),
        ("nbf", json!("0")),
        ("nbf", json!(-1)),
        ("iat", json!(now + 60)),
        ("iat", json!(now - 86_400)),
        ("iat", json!("0")),
        ("iat", json!(1.5)),
        ("iss", json!("car-hub")),
        ("iss", json!("car-hub:elsewhere")),
        ("iss", json!("https://evil.test")),
        ("iss", json!([f.claims["iss"].clone()])),
        ("aud", json!("elsewhere")),
        ("aud", json!("")),
        ("aud", json!([f.claims["aud"].clone()])),
        ("aud", json!([f.claims["aud"].clone(), "elsewhere"])),
        ("aud", json!([])),
        ("sub", json!("tok_unknown")),
        ("sub", json!("run_1")),
        ("sub", json!("")),
        ("sub", json!("tok_1\u{0}")),
        ("sub", json!(format!(" {}", f.claims["sub"].as_str().unwrap()))),
        ("sub", json!("tοk_1")),
        ("scope", json!("root")),
        ("scope", json!("")),
        ("scope", json!(["read"])),
        ("scope", json!("read  write")),
        ("scope", json!("read,write")),
        ("scope", json!("READ")),
        ("epoch", json!(0)),
        ("epoch", json!(2)),
        ("epoch", json!("1")),
        ("epoch", json!(1.0)),
        ("epoch", json!(-1)),
        ("epoch", json!(u64::MAX)),
        ("jti", json!(1)),
        ("admin", json!(true)),
        ("cnf", json!({"jkt": "x"})),
    ] {
        add(format!("{name} {value}"), f.claims(json!({ name: value })));
    }
    for text in ["", "null", "[]", "{}", "{", "1"] {
        add(format!("claims {text:?}"), f.key.sign(&f.head.to_string(), text));
    }
    let huge = "a".repeat(8 * 1024);
    add("huge".to_owned(), f.claims(json!({ "jti": huge })));
}

/// Every way to lie about the signature or the shape.
fn shapes(f: &Forge, good: &str, all: &mut Vec<(String, String)>) {
    let mut add = |name: &str, token: String| all.push((name.to_owned(), token));
    let parts: Vec<&str> = good.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three parts") };
    add("no signature", format!("{head}.{body}."));
    add("two parts", format!("{head}.{body}"));
    add("four parts", format!("{good}.{signature}"));
    add("five parts", format!("{head}..{body}.{signature}.{signature}"));
    add("zeroes", format!("{head}.{body}.{}", b64([0_u8; 64])));
    add("short", format!("{head}.{body}.{}", &signature[..signature.len() - 4]));
    add("long", format!("{head}.{body}.{signature}AAAA"));
    add("padded", format!("{good}=="));
    add("a space", good.replacen('.', " .", 1));
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[0] ^= 1;
    add("a bit", format!("{head}.{body}.{}", b64(&bytes)));
    let theirs = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    add(
        "another key",
        signed(&f.head.to_string(), &f.claims.to_string(), |m| theirs.sign(m).as_ref().to_vec()),
    );
    let other = f.claims(json!({ "jti": "x" }));
    let other = other.rsplit('.').next().unwrap();
    add("another's signature", format!("{head}.{body}.{other}"));
    add("standard Base64", good.replace('-', "+").replace('_', "/") + "+");
    add("dots", "..".to_owned());
    add("nothing", String::new());
    add("percent", good.replace('.', "%2e"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_hostile_token_is_taken() {
    let hub = TestHub::start();
    let secret = hub.client().token_exchange(&TokenExchange::default()).await.unwrap().secret;
    let good = secret.strip_prefix("car_at_").unwrap();
    let part = |at: usize| -> Value {
        let part = good.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let forge = Forge { key: Key::of(&hub), head: part(0), claims: part(1), now: seconds() };
    assert_eq!(forge.head.as_object().unwrap().len(), 3, "{}", forge.head);
    let mut keep = Keep::new(hub.authority());
    let mut ask = |token: &str| {
        keep.ask("GET", "/api/v1/hub", &format!("Authorization: Bearer {token}\r\n"), "").status
    };
    // What is made here would be taken if it were true.
    assert_eq!(ask(&secret), 200);
    assert_eq!(ask(&format!("car_at_{}", forge.head(json!({})))), 200);
    let mut all = Vec::new();
    heads(&forge, &mut all);
    claims(&forge, &mut all);
    shapes(&forge, good, &mut all);
    let mut hostile: Vec<(String, String)> =
        all.into_iter().map(|(name, token)| (name, format!("car_at_{token}"))).collect();
    for (name, token) in [
        ("as a run's", format!("car_run_{good}")),
        ("as a personal one", format!("car_pat_{good}")),
        ("bare", good.to_owned()),
        ("prefix twice", format!("car_at_car_at_{good}")),
        ("prefix in capitals", format!("CAR_AT_{good}")),
        ("another prefix", format!("car_xx_{good}")),
    ] {
        hostile.push((name.to_owned(), token));
    }
    let taken: Vec<_> = hostile
        .iter()
        .map(|(name, token)| (name, ask(token)))
        .filter(|(_, status)| ![401, 431].contains(status))
        .collect();
    let different: BTreeSet<&str> = hostile.iter().map(|(_, token)| token.as_str()).collect();
    println!("{} hostile tokens, {} different", hostile.len(), different.len());
    assert!(taken.is_empty(), "{taken:?}");
    assert!(different.len() >= 80);
    assert_eq!(ask(&secret), 200, "the good one goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_signed_token_allows_no_more_than_what_it_was_exchanged_for() {
    let hub = TestHub::start();
    let made = super::token(&hub.client(), &[car_api::Scope::Read]).await;
    let client = car_client::Client::new(hub.url(), Some(&made.secret)).unwrap();
    let access = client.token_exchange(&TokenExchange::default()).await.unwrap().secret;
    let good = access.strip_prefix("car_at_").unwrap();
    let claims = URL_SAFE_NO_PAD.decode(good.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let key = Key::of(&hub);
    let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.id}).to_string();
    let claims = changed(&claims, json!({"scope": "read write run approve terminal admin"}));
    let forged =
        format!("Authorization: Bearer car_at_{}\r\n", key.sign(&head, &claims.to_string()));
    let mut keep = Keep::new(hub.authority());
    assert_eq!(keep.ask("GET", "/api/v1/hub", &forged, "").status, 200);
    assert_eq!(keep.ask("GET", "/api/v1/tokens", &forged, "").status, 403);
    // It ends with the token it was exchanged for.
    hub.client().token_delete(&made.token.id).await.unwrap();
    assert_eq!(keep.ask("GET", "/api/v1/hub", &forged, "").status, 401);
}
