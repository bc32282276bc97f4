use super::{
    DispatchMode, MessageError, check_attachment_name, parse_dispatch, parse_reply,
    render_dispatch, render_reply,
};

#[test]
fn modes_are_read_as_car_reads_them() {
    let mode = |text: &str| parse_dispatch(text.as_bytes()).map(|dispatch| dispatch.mode);
    assert_eq!(mode("hello"), Ok(DispatchMode::Notify));
    assert_eq!(mode("---\n---\nhello"), Ok(DispatchMode::Notify));
    assert_eq!(mode("---\ntitle: x\n---\nhello"), Ok(DispatchMode::Notify));
    assert_eq!(mode("---\nmode: PAUSE\n---\nhello"), Ok(DispatchMode::Pause));
    assert_eq!(mode("---\nmode: ' turn_summary '\n---\nhello"), Ok(DispatchMode::TurnSummary));
    assert_eq!(mode("---\nmode: 3\n---\nhello"), Ok(DispatchMode::Notify));
    assert_eq!(mode("---\nmode: bad\n---\nhello"), Err(MessageError::Mode("bad".to_owned())));
}

#[test]
fn a_broken_dispatch_is_an_error_and_never_a_notification() {
    for text in ["---\nmode: pause\nhello", "---\nmode: [\n---\nx", "---\n- a\n---\nx"] {
        assert!(
            matches!(parse_dispatch(text.as_bytes()), Err(MessageError::Unreadable(_))),
            "{text}"
        );
    }
    assert!(matches!(parse_dispatch(b"caf\xe9"), Err(MessageError::Unreadable(_))));
}

#[test]
fn fields_and_body_are_kept() {
    let dispatch = parse_dispatch(b"---\ntitle: ' T '\nx: [1, a]\n---\n\n\nbody\n").unwrap();
    assert_eq!(dispatch.title.as_deref(), Some("T"));
    assert_eq!(dispatch.body, "body\n");
    assert_eq!(dispatch.extra, [("x".to_owned(), serde_json::json!([1, "a"]))]);
}

#[test]
fn a_reply_is_never_refused_for_its_frontmatter() {
    for text in ["---\nnot: [closed\n---\nx\n", "---\nno end", "plain"] {
        assert_eq!(parse_reply(text.as_bytes()).unwrap().body, text);
    }
    assert_eq!(parse_reply(b"").unwrap().body, "");
    assert!(parse_reply(b"\xff\xfe").is_err());
}

#[test]
fn rendered_messages_read_back() {
    for (title, body) in [(None, "---\nx"), (Some("a: b"), "hello"), (None, "")] {
        let reply = parse_reply(render_reply(title, body).as_bytes()).unwrap();
        assert_eq!((reply.title.as_deref(), reply.body.trim_end()), (title, body));
    }
    let text = render_dispatch(DispatchMode::Pause, Some("yes"), "  question?\n");
    let dispatch = parse_dispatch(text.as_bytes()).unwrap();
    assert_eq!(
        (dispatch.mode, dispatch.title.as_deref(), dispatch.body.as_str()),
        (DispatchMode::Pause, Some("yes"), "question?\n")
    );
}

#[test]
fn attachment_names_are_single_harmless_parts() {
    for name in ["a.txt", "A-1_b.tar.gz"] {
        assert_eq!(check_attachment_name(name), Ok(()));
    }
    for name in ["", ".", "..", ".x", "a/b", "a b", "ü", "user_reply.md", "DISPATCH.md", "a\n"] {
        assert!(check_attachment_name(name).is_err(), "{name}");
    }
}
