//! Threads of the real Codex: killed in the middle of an answer, forked, made shorter, held by a
//! quota.

use std::{fs, path::PathBuf};

use car_api::{
    item::ItemBody,
    thread::{MessageStatus, ThreadFork, ThreadStatus},
};

use super::{World, crash, gate};
use crate::{harness::wait_until, talk::Talk};

/// An answer in the middle of a command, with the gate that lets it go on.
struct Midway {
    talk: Talk,
    message: car_api::MessageId,
    gate: PathBuf,
    count: PathBuf,
}

impl Midway {
    async fn reach(world: &World) -> Self {
        let root = world.hub.root().to_owned();
        let talk = Talk::with(&world.client(), "codex").await;
        let (gate_file, count) = (root.join("gate"), root.join("count.txt"));
        let command = format!("echo x >> {}; touch begun", count.display());
        let script =
            format!(r#"{{"say": "before"}}, {}, {{"say": "the end"}}"#, gate(&command, &gate_file));
        let message = talk.post(&format!("Count. @@FAKE[{script}]@@")).await.id;
        wait_until("the command runs", || fs::exists(root.join("begun")).unwrap().then_some(()));
        Self { talk, message, gate: gate_file, count }
    }

    fn again(&mut self, world: &World) {
        self.talk.client = world.client();
    }

    fn sessions(&self, world: &World) -> Vec<PathBuf> {
        let dir = world.hub.root().join(".codex-autorunner/threads");
        let dir = dir.join(self.talk.key.as_str()).join("sessions");
        let mut all: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    }

    async fn is_whole(&self, world: &World) {
        let message = self.talk.until(&self.message, MessageStatus::Completed).await;
        assert_eq!(message.answer.as_deref(), Some("the end"));
        assert_eq!(fs::read_to_string(&self.count).unwrap(), "x\n", "nothing was done twice");
        let log = world.log();
        let said = |text: &str| log.iter().filter(|e| e["move"]["say"][0] == text).count();
        assert_eq!((said("before"), said("the end")), (1, 1), "{log:#?}");
        let [session] = &self.sessions(world)[..] else { panic!("more than one process") };
        assert_eq!(crash::times(session, "turn/start"), 1);
        let detail = self.talk.client.message_get(&self.talk.key, &self.message).await.unwrap();
        let commands = detail.items.iter().filter(|i| matches!(i.body, ItemBody::Command { .. }));
        assert_eq!(commands.count(), 1);
        assert!(detail.writing.is_empty());
    }
}

#[tokio::test]
async fn an_answer_outlives_the_hub_again_and_again() {
    let Some(mut world) = World::new() else { return };
    let mut midway = Midway::reach(&world).await;
    for round in 0..3 {
        world.hub.kill();
        if round == 1 {
            fs::write(&midway.gate, "").unwrap();
        }
        world.hub.serve(&[]);
    }
    midway.again(&world);
    midway.is_whole(&world).await;
}

/// The shim and the agent are gone: the answer is interrupted, keeps what was said, and is gone on
/// with in the same conversation.
#[tokio::test]
async fn a_lost_agent_interrupts_and_the_answer_goes_on() {
    let Some(world) = World::new() else { return };
    let midway = Midway::reach(&world).await;
    crash::kill_shim_and_agent(&midway.sessions(&world)[0]);
    let talk = &midway.talk;
    let cut = talk.until(&midway.message, MessageStatus::Interrupted).await;
    assert!(cut.detail.unwrap().contains("process is gone"));
    assert_eq!(cut.answer.as_deref(), Some("before"));
    fs::write(&midway.gate, "").unwrap();
    let next = talk.client.message_continue(&talk.key, &midway.message).await.unwrap();
    // Asked twice, it is gone on with once.
    let same = talk.client.message_continue(&talk.key, &midway.message).await.unwrap();
    assert_eq!(same.id, next.id);
    let next = talk.until(&next.id, MessageStatus::Completed).await;
    assert_eq!((next.continues, next.conversation), (Some(midway.message.clone()), 1));
    let [_, second] = &midway.sessions(&world)[..] else { panic!("not two processes") };
    assert_eq!(
        (crash::times(second, "thread/resume"), crash::times(second, "thread/start")),
        (1, 0)
    );
    assert_eq!(talk.messages().await.len(), 2);
}

/// A fork goes on from what was said; a shorter conversation is the same one; a new one is not.
#[tokio::test]
async fn codex_forks_compacts_and_begins_anew() {
    let Some(world) = World::new() else { return };
    let client = world.client();
    let talk = Talk::with(&client, "codex").await;
    let first = talk.post(r#"Remember. @@FAKE[{"say": "remembered"}]@@"#).await;
    talk.until(&first.id, MessageStatus::Completed).await;
    let fork = client.thread_fork(&talk.key, &ThreadFork::default()).await.unwrap();
    let fork = Talk { client: client.clone(), key: fork.id.as_str().parse().unwrap() };
    fork.until_idle().await;
    let aside = fork.post(r#"Aside. @@FAKE[{"say": "in the fork"}]@@"#).await;
    fork.until(&aside.id, MessageStatus::Completed).await;
    let asked = world.log().pop().unwrap();
    let request = serde_json::to_string(&asked).unwrap();
    assert!(request.contains("in the fork"), "{request}");

    client.thread_compact(&talk.key).await.unwrap();
    let thread = talk.until_idle().await;
    assert_eq!(thread.conversation, 1);
    let second = talk.post(r#"Go on. @@FAKE[{"say": "gone on"}]@@"#).await;
    let second = talk.until(&second.id, MessageStatus::Completed).await;
    assert_eq!(second.answer.as_deref(), Some("gone on"));
    client.thread_reset(&talk.key).await.unwrap();
    let third = talk.post(r#"Anew. @@FAKE[{"say": "begun anew"}]@@"#).await;
    let third = talk.until(&third.id, MessageStatus::Completed).await;
    assert_eq!((second.conversation, third.conversation), (1, 2));
    assert_eq!(talk.thread().await.status, ThreadStatus::Idle);
}
