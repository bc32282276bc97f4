//! Speech: what goes to the service that finds words, what comes of its answers, and that neither
//! its key nor a recording stays anywhere.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Barrier, Mutex},
};

use car_api::{
    Code, PageQuery, Scope,
    audit::{AuditLine, Outcome},
    repo::RepoCreate,
    token::TokenCreate,
    voice::{AudioKind, MAX_BYTES},
};
use car_client::{AuditFilter, Client, ClientError};

use crate::{harness::TestHub, work::car_command};

/// What the service knows the hub by.
const KEY: &str = "vk-8f3a91c2d4e5";

/// What is in a recording, and in nothing else.
const SOUND: &[u8] = b"\x1aE\xdf\xa3 a sound that nobody keeps \xff\x00\r\n--car-hub";

/// What the service does with a recording.
enum Answer {
    /// These words.
    Words(&'static str),
    /// This status with this body.
    Status(u16, String),
    /// None, until the test lets go of it.
    Never(Arc<Barrier>),
}

/// A request as it came.
#[derive(Clone)]
struct Got {
    head: String,
    body: Vec<u8>,
}

/// A service that finds words. Its thread ends with the process: it waits for connections.
struct Service {
    url: String,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let service = Self { url, answers: Arc::default(), got: Arc::default() };
        let (answers, got) = (Arc::clone(&service.answers), Arc::clone(&service.got));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answers, got) = (Arc::clone(&answers), Arc::clone(&got));
                std::thread::spawn(move || serve(stream.unwrap(), &answers, &got));
            }
        });
        service
    }

    /// Does so with the next recording.
    fn next(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

/// One recording a connection.
fn serve(
    stream: TcpStream,
    answers: &Mutex<VecDeque<Answer>>,
    got: &Mutex<Vec<Got>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    got.lock().unwrap().push(Got { head, body });
    let answer = answers.lock().unwrap().pop_front().unwrap_or(Answer::Words("nothing was said"));
    let (status, body) = match answer {
        Answer::Words(words) => (200, serde_json::json!({ "text": words }).to_string()),
        Answer::Status(status, body) => (status, body),
        Answer::Never(gate) => {
            gate.wait();
            return None;
        }
    };
    let text = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    reader.get_mut().write_all(text.as_bytes()).ok()
}

/// A hub that has such a service and a key for it, and whose log is a file.
fn hub(service: &Service, more: &str) -> TestHub {
    let mut hub = TestHub::unserved();
    fs::write(hub.root().join("voice.key"), format!("{KEY}\n")).unwrap();
    let text = format!(
        "voice:\n  endpoint: {}\n  model: ear-1\n  key_file: voice.key\n{more}",
        service.url
    );
    fs::write(hub.root().join("codex-autorunner.yml"), text).unwrap();
    serve_with_log(&mut hub);
    hub
}

fn serve_with_log(hub: &mut TestHub) {
    let root = hub.root();
    let mut command = hub.command(&["serve", "--root", root.to_str().unwrap(), "--port", "0"]);
    let log = fs::OpenOptions::new().create(true).append(true).open(root.join("said.log")).unwrap();
    command.env("RUST_LOG", "trace").stderr(log);
    hub.serve_by(command);
}

async fn hear(client: &Client) -> Result<String, ClientError> {
    client.voice_transcribe(AudioKind::Webm, SOUND, None).await.map(|said| said.text)
}

fn code_and_words(refused: ClientError) -> (Option<Code>, String) {
    (refused.code(), refused.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_goes_to_the_service_whole_and_its_words_come_back() {
    let service = Service::start();
    let mut hub = hub(&service, "");
    let client = hub.client();
    let standing = client.voice_get().await.unwrap();
    assert!(standing.configured);
    assert_eq!(standing.model.as_deref(), Some("ear-1"));
    service.next(Answer::Words(" Split the parser in two.\n"));
    let said = client.voice_transcribe(AudioKind::Mp4, SOUND, Some("de")).await.unwrap();
    assert_eq!(said.text, "Split the parser in two.");
    let [got] = service.got().try_into().ok().unwrap();
    assert!(got.head.starts_with("POST /v1/audio/transcriptions HTTP/1.1\r\n"), "{}", got.head);
    let head = got.head.to_ascii_lowercase();
    assert!(head.contains(&format!("authorization: bearer {KEY}\r\n")), "{head}");
    assert!(head.contains("content-type: multipart/form-data; boundary="), "{head}");
    let form = String::from_utf8_lossy(&got.body);
    for part in [
        "name=\"model\"\r\n\r\near-1\r\n",
        "name=\"language\"\r\n\r\nde\r\n",
        "name=\"file\"; filename=\"voice.m4a\"\r\nContent-Type: audio/mp4\r\n\r\n",
    ] {
        assert!(form.contains(part), "{part:?} in {form}");
    }
    let at = |bytes: &[u8]| got.body.windows(bytes.len()).position(|window| window == bytes);
    assert!(at(SOUND).is_some(), "byte for byte");

    // A recording without words is no mistake.
    service.next(Answer::Words("  "));
    assert_eq!(hear(&client).await.unwrap(), "");
    // The line of the chain says who had how much heard, and nothing of it.
    let lines =
        client.audit_list(&AuditFilter::default(), &PageQuery::default()).await.unwrap().items;
    let line = lines.iter().find(|line| line.verb == "voice_transcribe").unwrap();
    let detail = format!("audio/webm, {} bytes", SOUND.len());
    assert_eq!(line.detail.as_deref(), Some(detail.as_str()));
    assert!(hub.stop().success());
    nothing_is_kept(
        &hub.root(),
        &[KEY.as_bytes(), b"a sound that nobody keeps", b"Split the parser"],
    );
}

/// No file of the hub has any of these, but the one that holds the key.
fn nothing_is_kept(root: &Path, what: &[&[u8]]) {
    let mut dirs = vec![root.to_owned()];
    let mut looked = 0;
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().unwrap() != "voice.key" {
                let Ok(bytes) = fs::read(&path) else { continue };
                looked += 1;
                for secret in what {
                    let there = bytes.windows(secret.len()).any(|window| window == *secret);
                    assert!(!there, "{} in {}", String::from_utf8_lossy(secret), path.display());
                }
            }
        }
    }
    assert!(looked > 3, "the hub's files were not found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_there_is_said_and_the_key_is_not() {
    let service = Service::start();
    let mut hub = hub(&service, "  timeout_s: 4\n");
    let client = hub.client();
    for (status, body, words) in [
        (401, format!(r#"{{"error": {{"message": "Incorrect key: {KEY}."}}}}"#), "Incorrect key"),
        (413, "too much".to_owned(), "413: too much"),
        (429, r#"{"error": {"message": "Slow down."}}"#.to_owned(), "429: Slow down."),
        (500, "x".repeat(5000), "500"),
        (302, String::new(), "redirects are not followed"),
        (200, "no JSON".to_owned(), "without the words"),
        (200, r#"{"words": "a"}"#.to_owned(), "without the words"),
    ] {
        service.next(Answer::Status(status, body));
        let (code, said) = code_and_words(hear(&client).await.unwrap_err());
        assert_eq!(code, Some(Code::TranscriberRefused), "{status}: {said}");
        assert!(said.contains(words) && said.len() < 600, "{status}: {said}");
        assert!(!said.contains(KEY), "{said}");
    }
    assert_eq!(service.got().len(), 7, "asked once each");
    let lines = client.audit_list(&AuditFilter::default(), &PageQuery::default()).await.unwrap();
    let failed =
        |line: &&AuditLine| line.verb == "voice_transcribe" && line.outcome == Outcome::Failed;
    assert_eq!(lines.items.iter().filter(failed).count(), 7, "what was sent has its line");
    // One that repeats the key in what it heard is not believed to be harmless either.
    service.next(Answer::Words("my key is vk-8f3a91c2d4e5"));
    assert_eq!(hear(&client).await.unwrap(), "my key is [redacted]");

    let gate = Arc::new(Barrier::new(2));
    service.next(Answer::Never(Arc::clone(&gate)));
    let (code, said) = code_and_words(hear(&client).await.unwrap_err());
    assert_eq!(code, Some(Code::TranscriberAway), "{said}");
    assert!(said.contains("did not answer in time"), "{said}");
    gate.wait();

    // Nobody there at all. What is said names neither address nor key.
    assert!(hub.stop().success());
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!("voice:\n  endpoint: http://{nobody}/v1\n  key_file: voice.key\n");
    fs::write(hub.root().join("codex-autorunner.yml"), text).unwrap();
    serve_with_log(&mut hub);
    let (code, said) = code_and_words(hear(&hub.client()).await.unwrap_err());
    assert_eq!(code, Some(Code::TranscriberAway), "{said}");
    assert!(said.contains("refused") && !said.contains(&nobody.to_string()), "{said}");

    assert!(hub.stop().success());
    nothing_is_kept(&hub.root(), &[KEY.as_bytes(), b"a sound that nobody keeps"]);
    let log = fs::read_to_string(hub.root().join("said.log")).unwrap();
    assert!(log.contains("transcriber_refused"), "the log has the failures: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_heard_is_refused_before_it_is_sent() {
    let service = Service::start();
    let mut hub = hub(&service, "server:\n  limits:\n    transcriptions_per_minute: 8\n");
    let token = format!("Authorization: Bearer {}", hub.token());
    let path = "/api/v1/voice/transcriptions";
    for (kind, target, code) in [
        ("application/json", path, "unsupported_media_type"),
        ("application/octet-stream", path, "unsupported_media_type"),
        ("video/webm", path, "unsupported_media_type"),
        ("audio/midi", path, "unsupported_media_type"),
        ("audio/webm", "/api/v1/voice/transcriptions?language=german", "bad_request"),
        ("audio/webm", "/api/v1/voice/transcriptions?model=other", "bad_request"),
    ] {
        let kind = format!("Content-Type: {kind}");
        let answer = hub.send("POST", target, &[&token, &kind], "sound");
        assert_eq!(answer.code(), code, "{kind} {target}");
    }
    let client = hub.client();
    let empty = client.voice_transcribe(AudioKind::Ogg, "", None).await.unwrap_err();
    assert_eq!(empty.code(), Some(Code::BadRequest));
    let large = client.voice_transcribe(AudioKind::Wav, vec![0; MAX_BYTES + 1], None).await;
    assert_eq!(large.unwrap_err().code(), Some(Code::TooLarge));
    assert!(service.got().is_empty());
    let most = client.voice_transcribe(AudioKind::Wav, vec![1; MAX_BYTES], None).await.unwrap();
    assert_eq!(most.text, "nothing was said");
    assert!(service.got()[0].body.len() > MAX_BYTES);

    // Whoever may write to agents may speak to them, also about one repo alone.
    let body = RepoCreate { id: "one".to_owned(), path: None, force: false };
    let one = client.repo_create(&body).await.unwrap().id;
    for (scope, repos, allowed) in [(Scope::Read, Vec::new(), false), (Scope::Run, vec![one], true)]
    {
        let body = TokenCreate {
            name: scope.to_string(),
            scopes: Some(vec![Scope::Read, scope]),
            repos,
            ..TokenCreate::default()
        };
        let secret = client.token_create(&body).await.unwrap().secret;
        let other = Client::new(hub.url(), Some(&secret)).unwrap();
        assert!(other.voice_get().await.unwrap().configured);
        let heard = hear(&other).await.map_err(|refused| refused.code());
        assert_eq!(
            heard,
            if allowed { Ok("nothing was said".to_owned()) } else { Err(Some(Code::Forbidden)) }
        );
    }

    // So many in a minute, of each credential.
    assert!(hub.stop().success());
    hub.limited = true;
    hub.serve(&[]);
    let client = hub.client();
    // More of them where each takes its time.
    let mut heard = 0;
    let refused = loop {
        match hear(&client).await {
            Ok(_) => heard += 1,
            Err(refused) => break refused,
        }
        assert!(heard < 40, "there is no limit");
    };
    assert!(heard >= 8 && refused.code() == Some(Code::RateLimited), "{heard}, {refused}");
    client.voice_get().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn car_prints_the_words() {
    let service = Service::start();
    let hub = hub(&service, "");
    let file = hub.root().join("note.ogg");
    fs::write(&file, SOUND).unwrap();
    let note = file.to_str().unwrap();
    service.next(Answer::Words("One.\nTwo."));
    let car = |args: &[&str]| car_command(&hub, args).output().unwrap();
    let said = car(&["voice", "transcribe", note, "--language", "en"]);
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "One.\nTwo.\n");
    let form = String::from_utf8_lossy(&service.got()[0].body).into_owned();
    assert!(form.contains("voice.ogg") && form.contains("\r\n\r\nen\r\n"), "{form}");
    service.next(Answer::Words("One."));
    let json = car(&["voice", "transcribe", note, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json, serde_json::json!({ "text": "One." }));
    service.next(Answer::Status(503, "busy".to_owned()));
    let refused = car(&["voice", "transcribe", note]);
    assert_eq!(refused.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("503: busy"));
    let unknown = car(&["voice", "transcribe", "note.txt"]);
    assert_eq!(unknown.status.code(), Some(2));
    let shown = String::from_utf8(car(&["voice", "show"]).stdout).unwrap();
    assert!(shown.contains("ear-1") && shown.contains("25 MB"), "{shown}");
}

#[test]
fn a_key_that_is_not_there_is_said_and_none_stands_in_the_configuration() {
    let hub = TestHub::unserved();
    let config = |text: &str| {
        fs::write(hub.root().join("codex-autorunner.yml"), text).unwrap();
        let output = hub.command(&["config"]).env("EAR_KEY", KEY).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, shown) = config("voice:\n  endpoint: http://127.0.0.1:1/v1/\n  key_env: EAR_KEY\n");
    assert!(shown.contains("voice.endpoint: \"http://127.0.0.1:1/v1/\""), "{shown}");
    assert!(!shown.contains(KEY) && !shown.contains("# warning"), "{shown}");
    for (text, warning) in [
        ("voice: {endpoint: 'https://h/v1', key_env: NOT_SET}", "`$NOT_SET` is not set"),
        ("voice: {endpoint: 'https://h/v1', key_file: none.key}", "none.key"),
        ("voice: {endpoint: 'http://h/v1', key_env: EAR_KEY}", "unencrypted"),
        ("voice: {key_env: EAR_KEY}", "`voice.endpoint` is missing"),
        // What the original had there says nothing here, and breaks nothing.
        (
            "voice: {enabled: true, provider: openai_whisper, providers: {openai_whisper: {model: whisper-1}}}",
            "`voice.*` (3 keys) has no effect in this hub",
        ),
    ] {
        let (read, shown) = config(text);
        assert!(read && shown.contains(warning), "{text}: {shown}");
    }
    for text in [
        "voice: {endpoint: 'https://user:key@h/v1'}",
        "voice: {endpoint: 'ftp://h/v1'}",
        "voice: {model: 'a b'}",
        "voice: {language: German}",
    ] {
        assert!(!config(text).0, "{text}");
    }
}
