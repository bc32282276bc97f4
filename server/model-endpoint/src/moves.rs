//! Which part of the script is due: one move is what one answer of the model carries.
//!
//! An agent's turn goes on as long as answers call tools. A step without a call is therefore told
//! together with the next one that has some, and the number of tool results since the script says
//! how many calls are behind.

use car_demo_agent::{
    script::{self, Order, Step},
    ticket,
};
use serde_json::{Value, json};

/// What one answer says and does.
#[derive(Debug, Default)]
pub(crate) struct Move {
    pub(crate) steps: Vec<Step>,
    /// What to run where a step leaves it to the prompt (`done`, `dispatch`).
    pub(crate) prompt: ticket::Prompt,
    /// A name of this move within everything that is asked, for the counters of failures.
    pub(crate) key: String,
}

/// What a prompt asks for.
struct Asked<'a> {
    /// Where it stands in the conversation.
    at: usize,
    prompt: &'a str,
    script: Result<Vec<Step>, String>,
}

/// The move a conversation is at. A prompt asks for its script, or, without one, for the latest
/// standing order whose words it has. Nothing that was asked is answered with `ok`, the end of a
/// script with `done`, one that cannot be read with what is wrong with it.
pub(crate) fn due(input: &[Value]) -> Move {
    let prompts: Vec<(usize, String)> = input
        .iter()
        .enumerate()
        .filter(|(_, item)| item["role"] == "user")
        .map(|(at, item)| (at, text(&item["content"])))
        .collect();
    let mut standing: Vec<Order> = Vec::new();
    let mut asked: Vec<Asked<'_>> = Vec::new();
    for (at, prompt) in &prompts {
        let (orders, said) = match script::orders(prompt) {
            Ok(found) => found,
            Err(error) => return saying(&error),
        };
        standing.extend(orders);
        let order = || standing.iter().rev().find(|order| said.contains(&order.words));
        let script = script::find_in_prompt(&said).or_else(|| order().map(|o| Ok(o.steps.clone())));
        asked.extend(script.map(|script| Asked { at: *at, prompt, script }));
    }
    let Some(last) = asked.last() else { return saying("ok") };
    let attempt = asked.iter().filter(|other| other.script == last.script).count();
    let Asked { at, prompt, script } = last;
    let steps = match script {
        Ok(steps) => script::of_attempt(steps, u32::try_from(attempt).unwrap_or(u32::MAX)),
        Err(error) => return saying(error),
    };
    let results = input
        .iter()
        .skip(at + 1)
        .filter(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output")));
    let mut due = Move { prompt: ticket::read(prompt), ..Move::default() };
    let mut behind = results.count();
    due.key = format!("{prompt}#{attempt}#{behind}");
    for step in steps {
        let calls = calls(&step);
        due.steps.push(step);
        if calls > 0 && behind >= calls {
            behind -= calls;
            due.steps.clear();
        } else if calls > 0 {
            return due;
        }
    }
    if due.steps.is_empty() { saying("done") } else { due }
}

/// Tool calls a step makes.
fn calls(step: &Step) -> usize {
    [
        step.plan.is_some(),
        step.write.is_some(),
        step.sh.is_some(),
        step.done,
        step.commit.is_some(),
        step.dispatch.is_some(),
        step.tool.is_some(),
        step.custom.is_some(),
    ]
    .into_iter()
    .filter(|has| *has)
    .count()
}

fn saying(text: &str) -> Move {
    let step = Step { say: Some(text.to_owned()), ..Step::default() };
    Move { steps: vec![step], ..Move::default() }
}

/// The text of a message, which may be in parts.
fn text(content: &Value) -> String {
    match content.as_array() {
        Some(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        None => content.as_str().unwrap_or_default().to_owned(),
    }
}

impl Move {
    /// The move in the log.
    pub(crate) fn told(&self) -> Value {
        let say: Vec<&str> = self.steps.iter().filter_map(|step| step.say.as_deref()).collect();
        let sh: Vec<&str> = self.steps.iter().filter_map(|step| step.sh.as_deref()).collect();
        json!({ "say": say, "sh": sh, "fails": self.steps.iter().any(|s| s.fail.is_some()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Value {
        json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] })
    }

    fn result() -> Value {
        json!({ "type": "function_call_output", "call_id": "c", "output": "x" })
    }

    fn check(input: &[Value], expected: Value) {
        assert_eq!(due(input).told(), expected);
    }

    #[test]
    fn the_conversation_tells_how_far_the_script_has_come() {
        let script = user(
            r#"do @@FAKE[{"say": "a"}, {"say": "b", "sh": "1"}, {"on": 2, "sh": "x"}, {"sh": "2", "done": true}, {"say": "c"}]@@"#,
        );
        let told = |say: &[&str], sh: &[&str]| json!({ "say": say, "sh": sh, "fails": false });
        check(&[], told(&["ok"], &[]));
        check(&[user("hello")], told(&["ok"], &[]));
        check(std::slice::from_ref(&script), told(&["a", "b"], &["1"]));
        check(&[script.clone(), result()], told(&[], &["2"]));
        check(&[script.clone(), result(), result(), result()], told(&["c"], &[]));
        // A second message with the same script is the second attempt.
        check(&[script.clone(), result(), script.clone(), result()], told(&[], &["x"]));
        check(&[user("@@FAKE[{\"sh\": \"1\"}]@@"), result()], told(&["done"], &[]));
    }

    #[test]
    fn a_standing_order_is_carried_out_whenever_its_words_come() {
        let first = user(r#"@@WHEN["it failed", {"sh": "mend"}]@@ do @@FAKE[{"sh": "1"}]@@"#);
        let told = |say: &[&str], sh: &[&str]| json!({ "say": say, "sh": sh, "fails": false });
        check(std::slice::from_ref(&first), told(&[], &["1"]));
        let failed = user("It is said that it failed.");
        let so_far = [first.clone(), result(), failed.clone()];
        check(&so_far, told(&[], &["mend"]));
        check(&[&so_far[..], &[result()]].concat(), told(&["done"], &[]));
        check(&[&so_far[..], &[result(), failed]].concat(), told(&[], &["mend"]));
    }
}
