use car_api::{
    MessageId,
    item::{Item, Usage},
    thread::{Message, MessageOrigin, ThreadKind},
};
use car_engine::lane::{Lane, State};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(second)
}

fn thread(lane: Lane, messages: u32) -> ThreadRow {
    ThreadRow {
        id: "thr_1".parse().unwrap(),
        kind: ThreadKind::Chat,
        name: "A thread".to_owned(),
        repo: None,
        agent: "demo".parse().unwrap(),
        model: None,
        effort: None,
        approvals: car_api::agent::ApprovalPolicy::Never,
        lane,
        messages,
        preview: None,
        usage: Usage::default(),
        spent: Usage::default(),
        forked_from: None,
        created_at: at(0),
        updated_at: at(i64::from(messages)),
        archived_at: None,
    }
}

fn message(number: u32, id: &str, status: MessageStatus, turn: Option<&str>) -> MessageRow {
    let message = Message {
        id: id.parse().unwrap(),
        thread: "thr_1".parse().unwrap(),
        number,
        conversation: 1,
        origin: MessageOrigin::User,
        author: "somebody".to_owned(),
        client_turn_id: None,
        body: format!("{id} asks"),
        attachments: Vec::new(),
        status,
        detail: None,
        continues: None,
        turn: turn.map(|turn| turn.parse().unwrap()),
        answer: None,
        error: None,
        usage: Usage::default(),
        cost: None,
        created_at: at(i64::from(number)),
        started_at: None,
        ended_at: (status == MessageStatus::Completed).then(|| at(i64::from(number))),
    };
    MessageRow { message, session: None, plan: Vec::new() }
}

fn said(turn: &str, place: u32, id: &str, text: &str) -> Line {
    let body = ItemBody::Message { text: text.to_owned() };
    let item = Item { id: id.to_owned(), body };
    Line::Item(ItemRow { turn: turn.parse().unwrap(), place, item, completed: true })
}

fn written(lines: &[Line]) -> Vec<u8> {
    let text = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n");
    text.collect::<String>().into_bytes()
}

fn answering(message: &str, queue: &[&str]) -> Lane {
    let state = State::Answering {
        message: message.parse().unwrap(),
        turn: "trn_2".parse().unwrap(),
        cut: false,
        over: None,
        reset: false,
    };
    let queue = queue.iter().map(|id| id.parse().unwrap()).collect();
    Lane { state, queue, ..Lane::default() }
}

fn held(lane: &Lane) -> bool {
    matches!(&lane.state, State::Held { hold } if hold.until.is_none() && hold.person_since.is_some())
}

#[test]
fn the_last_word_counts_and_nothing_is_under_way() {
    use MessageStatus::{Completed, Interrupted, Queued, Working};
    let put = |row| Line::Message(Box::new(row));
    let lines = [
        Line::Thread(Box::new(thread(Lane::default(), 0))),
        put(message(1, "mes_1", Queued, None)),
        put(message(1, "mes_1", Completed, Some("trn_1"))),
        // Never committed: another message has its number by now.
        put(message(2, "mes_lost", Queued, None)),
        put(message(2, "mes_2", Working, Some("trn_2"))),
        said("trn_2", 1, "b", "second"),
        said("trn_2", 0, "a", "fir"),
        said("trn_2", 0, "a", "first"),
        put(message(3, "mes_3", Queued, None)),
        Line::Thread(Box::new(thread(answering("mes_2", &["mes_3", "mes_gone"]), 3))),
        // Written, and the hub died before its commit.
        put(message(4, "mes_4", Queued, None)),
    ];
    let mut bytes = written(&lines);
    bytes.extend(b"{\"message\":{\"mess");
    let id = "thr_1".parse().unwrap();
    let (found, changed) = fold(&bytes, &id).unwrap();
    let stands: Vec<_> =
        found.messages.iter().map(|row| (row.message.id.as_str(), row.message.status)).collect();
    assert_eq!(stands, [("mes_1", Completed), ("mes_2", Interrupted), ("mes_3", Queued)]);
    let cut = &found.messages[1].message;
    assert_eq!((cut.answer.as_deref(), cut.ended_at), (Some("second"), Some(at(3))));
    let texts: Vec<_> = found.items.iter().map(|row| row.item.body.clone()).collect();
    let message = |text: &str| ItemBody::Message { text: text.to_owned() };
    assert_eq!(texts, [message("first"), message("second")]);
    assert!(found.cut_off && held(&found.thread.lane), "{:?}", found.thread.lane);
    let waits: MessageId = "mes_3".parse().unwrap();
    assert_eq!(found.thread.lane.queue, [waits]);
    assert_eq!(found.unread, 1);
    // What was decided is written down: read again it is the same, and no answer is cut off anew.
    bytes.extend(b"\n");
    bytes.extend(written(&changed));
    let (again, none) = fold(&bytes, &id).unwrap();
    assert_eq!((again.thread, again.messages), (found.thread, found.messages));
    assert!(!again.cut_off && none.is_empty(), "{none:#?}");
}

/// Records from before messages said what they cost.
#[test]
fn what_a_message_cost_is_found_in_what_its_turn_used() {
    let tokens = |input_tokens| Usage { input_tokens, ..Usage::default() };
    let used = |turn: &str, cost| {
        Line::Usage(Box::new(UsageRow {
            turn: turn.parse().unwrap(),
            thread: "thr_1".parse().unwrap(),
            repo: None,
            agent: "demo".parse().unwrap(),
            model: None,
            usage: tokens(100),
            cost,
            started_at: at(1),
            ended_at: at(2),
        }))
    };
    let put = |number, id, turn, usage, cost| {
        let mut row = message(number, id, MessageStatus::Completed, Some(turn));
        (row.message.usage, row.message.cost) = (usage, cost);
        Line::Message(Box::new(row))
    };
    let amount = car_api::money::Amount::from_millionths;
    let cost = |millionths, unpriced_tokens| Cost { amount: amount(millionths), unpriced_tokens };
    let lines = [
        Line::Thread(Box::new(thread(Lane::default(), 4))),
        // The second of two turns is the one that was counted.
        put(1, "mes_1", "trn_1", tokens(130), None),
        used("trn_1", Some(amount(7))),
        put(2, "mes_2", "trn_2", tokens(100), None),
        used("trn_2", None),
        put(3, "mes_3", "trn_3", tokens(100), Some(cost(5, 0))),
        used("trn_3", Some(amount(4))),
        put(4, "mes_4", "trn_4", tokens(100), None),
    ];
    let (found, _) = fold(&written(&lines), &"thr_1".parse().unwrap()).unwrap();
    let costs: Vec<_> = found.messages.iter().map(|row| row.message.cost).collect();
    assert_eq!(costs, [Some(cost(7, 30)), Some(cost(0, 100)), Some(cost(5, 0)), None]);
}

#[test]
fn a_record_that_does_not_say_what_it_is_of_is_none() {
    let id = "thr_1".parse().unwrap();
    let row = message(1, "mes_1", MessageStatus::Queued, None);
    assert!(fold(&written(&[Line::Message(Box::new(row))]), &id).is_err());
    let other = written(&[Line::Thread(Box::new(thread(Lane::default(), 0)))]);
    assert!(fold(&other, &"thr_2".parse().unwrap()).is_err(), "it is another thread's");
}
