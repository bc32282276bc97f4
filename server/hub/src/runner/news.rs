//! What matters to a run of what its agent says: told to the engine.

use car_api::{
    ApprovalId,
    item::{Approval, Decision},
};
use car_engine::{budget::run_used_up, flow::Input};
use car_store::Write;

use super::{Asked, actor::Actor};
use crate::desk::{Heard, session::News};

impl Actor {
    pub(super) async fn heard(&mut self, news: News) {
        let line = matches!(news, News::Line { .. });
        for heard in self.desk.hear(news) {
            match heard {
                Heard::Opened(thread) => self.thread_opened(thread),
                Heard::Forgotten(detail) => {
                    let tree_changed = self.tree_changed().await;
                    self.give_up_turn(&detail);
                    let _ = self.apply(Input::ThreadLost { detail, tree_changed });
                }
                Heard::Used => self.used(),
                Heard::Ended(outcome) => self.end_turn(outcome),
                Heard::Gone { detail, sent } => self.lose_agent(detail, sent).await,
            }
        }
        if line {
            self.drive().await;
        }
    }

    fn thread_opened(&mut self, thread: String) {
        if let Some(at_work) = &mut self.turn {
            at_work.row.thread = Some(thread.clone());
            self.desk.writes.push(Write::Turn(Box::new(at_work.row.clone()), None));
        }
        let _ = self.apply(Input::ThreadOpened { thread });
    }

    fn used(&mut self) {
        let (Some(at_work), Some(at)) = (&mut self.turn, &self.desk.at) else { return };
        at_work.row.usage = at.usage;
        let (agent, repo) = (at_work.row.agent.as_str(), &self.row.repo);
        let cost = self.hub.spending.price(agent, at.model.as_deref(), &at.usage);
        self.hub.spending.under_way(&at_work.row.id, Some(repo), &at.usage, cost);
        if at_work.over_budget {
            return;
        }
        let mut spent = self.row.flow.spent;
        spent.add(at.usage, cost);
        let today = self.hub.today(Some(repo));
        let over = run_used_up(&spent, &self.row.flow.options, &today.currency);
        if let Some(what) = over.or_else(|| today.used_up()) {
            at_work.over_budget = true;
            let _ = self.apply(Input::BudgetReached { what });
        }
    }

    /// A person answered a question.
    pub(super) async fn decided(
        &mut self,
        id: &ApprovalId,
        decision: Decision,
        asked: Asked<Approval>,
    ) {
        let decided = self.desk.decided(id, decision, asked.act);
        if decided.is_ok() {
            self.flush().await;
        }
        let _ = asked.done.send(decided);
        self.drive().await;
    }
}
