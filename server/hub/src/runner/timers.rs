//! The times a run waits for.

use std::time::{Duration, Instant};

use car_api::run::RunState;
use car_engine::{budget::run_used_up, flow::Input};

use super::actor::Actor;
use crate::{clock, desk::INTERRUPT_GRACE};

impl Actor {
    /// When something is to be done although nothing happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let wake = self.wake.map(|at| Instant::now() + clock::until(at));
        let turn = self.desk.at.as_ref().map(|at| {
            let idle = Duration::from_secs(self.config.turn_idle_timeout_s.max(1));
            let most = Duration::from_secs(self.config.turn_timeout_s.max(1));
            let patience = at.patience(idle, most, self.desk.asks());
            let budget = self.time_left().filter(|_| at.interrupted_at.is_none());
            budget.map_or(patience, |left| patience.min(at.began + left))
        });
        match (wake, turn) {
            (Some(wake), Some(turn)) => Some(wake.min(turn)),
            (wake, turn) => wake.or(turn),
        }
    }

    /// How much of the budget of time was left when the turn began.
    fn time_left(&self) -> Option<Duration> {
        let max = self.row.flow.options.max_seconds?;
        let left = max.saturating_mul(1000).saturating_sub(self.row.flow.spent.active_ms);
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    pub(super) async fn time_came(&mut self) {
        if self.wake.is_some_and(|at| at <= clock::now()) {
            self.wake = None;
            if self.row.flow.state == RunState::Stopping {
                // It did not end by itself.
                self.desk.end_session("It did not stop in time; the hub ended it.").await;
            }
            let _ = self.apply(Input::Elapsed);
            return;
        }
        let left = self.time_left();
        let idle_limit = self.config.turn_idle_timeout_s;
        let (Some(at_work), Some(at)) = (&mut self.turn, &mut self.desk.at) else { return };
        if let Some(since) = at.interrupted_at {
            if since.elapsed() >= INTERRUPT_GRACE {
                let detail = "It did not answer an interrupt; the hub ended it.";
                self.desk.end_session(detail).await;
                self.lose_agent(detail.to_owned(), true).await;
            }
            return;
        }
        let budget = left.is_some_and(|left| at.began.elapsed() >= left);
        if budget && !at_work.over_budget {
            at_work.over_budget = true;
            at.interrupt();
            let mut spent = self.row.flow.spent;
            let now = clock::now().millis_since(at_work.row.started_at);
            let left = i64::try_from(left.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
            // A clock that was set back does not lengthen it.
            spent.active_ms = spent.active_ms.saturating_add(now.max(left));
            let what = run_used_up(&spent, &self.row.flow.options, "");
            let what = what.unwrap_or_else(|| "The budget of time is used up.".to_owned());
            let _ = self.apply(Input::BudgetReached { what });
            return;
        }
        at.interrupt();
        let message = format!(
            "No line from the agent for {idle_limit} s, or the turn took too long; interrupting it."
        );
        self.desk.notice(message);
    }
}
