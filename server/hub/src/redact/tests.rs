use super::*;

/// What is random in the samples: letters and digits, so that it has the shape of the real thing
/// and no scanner takes this file for a leak.
fn random(length: usize) -> String {
    let mut state = 0x9e37_79b9_u32;
    let letters = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(letters[usize::try_from(state >> 16).unwrap() % letters.len()])
        })
        .collect()
}

/// Texts with one secret each, and the part of it that must not be seen.
fn samples() -> Vec<(String, String)> {
    let r = random(96);
    let mut all: Vec<(String, String)> = Vec::new();
    for (beginning, length) in [
        ("car_pat_", 49),
        ("car_run_", 60),
        ("car_thr_", 60),
        ("car_ses_", 43),
        ("sk-proj-", 48),
        ("sk-svcacct-", 40),
        ("sk-admin-", 40),
        ("sk-ant-api03-", 80),
        ("sk-or-v1-", 64),
        ("sk-", 48),
        ("sess-", 40),
        ("hf_", 34),
        ("r8_", 37),
        ("gsk_", 52),
        ("xai-", 80),
        ("pplx-", 48),
        ("nvapi-", 64),
        ("ghp_", 36),
        ("gho_", 36),
        ("ghu_", 36),
        ("ghs_", 36),
        ("ghr_", 36),
        ("github_pat_", 82),
        ("glpat-", 20),
        ("gldt-", 20),
        ("glrt-", 20),
        ("glptt-", 40),
        ("npm_", 36),
        ("pypi-AgEIcHlwaS5vcmc", 60),
        ("dckr_pat_", 27),
        ("cio", 32),
        ("rubygems_", 48),
        ("AKIA", 16),
        ("ASIA", 16),
        ("AIza", 35),
        ("ya29.", 60),
        ("GOCSPX-", 28),
        ("dop_v1_", 64),
        ("doo_v1_", 64),
        ("tskey-auth-", 30),
        ("hvs.", 24),
        ("hvb.", 24),
        ("pul-", 40),
        ("glsa_", 40),
        ("xoxb-", 40),
        ("xoxp-", 40),
        ("xoxa-", 30),
        ("xoxr-", 30),
        ("xoxs-", 30),
        ("xapp-1-", 40),
        ("https://hooks.slack.com/services/", 44),
        ("https://discord.com/api/webhooks/", 86),
        ("https://api.telegram.org/bot", 45),
        ("SG.", 66),
        ("key-", 32),
        ("sk_live_", 24),
        ("sk_test_", 24),
        ("rk_live_", 24),
        ("rk_test_", 24),
        ("whsec_", 32),
        ("shpat_", 32),
        ("shpss_", 32),
        ("sq0atp-", 22),
        ("sq0csp-", 43),
        ("lin_api_", 40),
        ("ntn_", 46),
        ("figd_", 43),
        ("PMAK-", 59),
        ("ATATT3", 80),
        ("AGE-SECRET-KEY-1", 58),
    ] {
        let tail = r[..length].to_owned();
        all.push((format!("see {beginning}{tail} there"), tail));
    }
    let (a, b, c) = (&r[..20], &r[20..50], &r[50..93]);
    let plain = |text: String, secret: &str| (text, secret.to_owned());
    all.extend([
        plain(format!("123456789:AA{b}xyz"), b),
        plain(format!("eyJ{a}.eyJ{b}.{c}"), c),
        plain(format!("Authorization: Bearer {b}"), b),
        plain(format!("authorization: basic {b}=="), b),
        plain(format!("clone https://me:{a}@git.example.com/x.git"), a),
        plain(format!("postgres://app:{a}@db:5432/x"), a),
        plain(format!("password={a}"), a),
        plain(format!("\"client_secret\": \"{a}\","), a),
        plain(format!("{{\\\"api_key\\\":\\\"{a}\\\"}}"), a),
        plain(format!("export AWS_SECRET_ACCESS_KEY='{b}'"), b),
        plain(
            format!("-----BEGIN RSA PRIVATE KEY-----\n{b}\n{c}\n-----END RSA PRIVATE KEY-----"),
            c,
        ),
        plain(format!("-----BEGIN OPENSSH PRIVATE KEY-----\\n{b}\\n{c}"), c),
    ]);
    all
}

#[test]
fn what_has_the_shape_of_a_secret_is_taken_out() {
    let redactor = Redactor::new();
    let samples = samples();
    for (text, secret) in &samples {
        let clean = redactor.redact(text);
        assert!(!clean.contains(secret.as_str()), "{text}\n{clean}");
        assert!(clean.contains(GONE));
        let json = serde_json::to_string(&serde_json::json!({ "text": text })).unwrap();
        let clean = redactor.redact(&json);
        assert!(!clean.contains(secret.as_str()), "{clean}");
        let read: serde_json::Value = serde_json::from_str(&clean).unwrap();
        assert!(read["text"].is_string(), "JSON stays JSON: {clean}");
    }
    assert!(samples.len() >= 60 && shapes::count() >= 40);
    println!("{} texts with a secret, {} shapes", samples.len(), shapes::count());
}

/// However a secret is cut, what was let through shows no more of it than its beginning.
#[test]
fn a_secret_that_comes_in_pieces_is_taken_out() {
    let redactor = Redactor::new();
    for (text, secret) in samples() {
        let whole = format!("before {text} after");
        for size in [1, 2, 3, 5, 7, 11, 16, 40] {
            let mut stream = redactor.stream();
            let mut shown = String::new();
            for piece in whole.as_bytes().chunks(size) {
                shown.push_str(&stream.push(std::str::from_utf8(piece).unwrap()));
            }
            shown.push_str(&stream.finish());
            assert!(!shown.contains(&secret[4..]), "in pieces of {size}: {shown}");
            assert!(shown.starts_with("before "), "{shown}");
        }
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    let redactor = Redactor::new();
    for text in [
        "fn password(token: &str) -> Result<Secret, Error> { self.tokens.read() }",
        "let token = self.next_token();  // the secret is out: a risk-averse task-force",
        "\"input_tokens\":123456789012,\"output_tokens\":42",
        "commit 9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab",
        "run_01a211f93e8c7442b9fbe4f74208f1b4 tok_01a211f93e8c7442b9fbe4f74208f1b4",
        "{\"token\":\"tok_01a211f93e8c7442b9fbe4f74208f1b4\"}",
        "https://example.com:8080/path?x=1 and http://127.0.0.1:4173/api/v1/hub",
        "basic internationalization and bearer authentication are described below",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "12:34:56:AA the lights went out",
        "Zoë said: the pass-word is »Mellon«, said to a door",
        "disk-usage: 12 %; ask-me-anything-about-this-very-long-word",
    ] {
        assert_eq!(redactor.redact(text), text);
        let mut stream = redactor.stream();
        let mut shown: String = text.chars().map(|c| stream.push(&c.to_string())).collect();
        shown.push_str(&stream.finish());
        assert_eq!(shown, text);
    }
}

/// Text is shown as it comes: only what may be a secret waits.
#[test]
fn a_stream_holds_back_only_what_it_must() {
    let redactor = Redactor::new();
    redactor.learn(["hunter2-hunter2"]);
    let mut stream = redactor.stream();
    assert_eq!(stream.push("Reading src/main.rs"), "Reading src/main.rs");
    assert_eq!(stream.push(" and hun"), " and hun");
    assert_eq!(stream.push("t"), "");
    assert_eq!(stream.push("ing"), "ting");
    assert_eq!(stream.push(" ghp_ab"), " ");
    assert_eq!(stream.push(" no"), "ghp_ab no");
    assert_eq!(stream.push(" hunter2-"), " ");
    assert_eq!(stream.push("hunter2!"), "[redacted]!");
}

#[test]
fn known_values_are_taken_out_in_every_form() {
    let redactor = Redactor::new();
    let value = "p\"ss w/rd+1";
    redactor.learn([value, "short", "true"]);
    assert_eq!(redactor.redact("short, true"), "short, true");
    let in_json = serde_json::to_string(&format!("say {value}!")).unwrap();
    for text in [
        format!("it is {value}."),
        in_json,
        "?x=p%22ss%20w%2Frd%2B1&y".to_owned(),
        "eyJ4IjoicFwi".into(),
    ] {
        let clean = redactor.redact(&text);
        let taken = clean.contains(GONE);
        assert_eq!(taken, !text.starts_with("eyJ4"), "{text}: {clean}");
    }
    // base64 of the value behind no, one and two letters.
    for encoded in ["cCJzcyB3L3JkKzE=", "eHAic3Mgdy9yZCsxeA==", "eHhwInNzIHcvcmQrMXh4"] {
        let clean = redactor.redact(encoded);
        assert!(clean.contains(GONE), "{encoded}: {clean}");
    }
    let later = redactor.clone();
    later.learn(["another value"]);
    assert_eq!(redactor.redact("another value"), GONE, "clones know the same");
}
