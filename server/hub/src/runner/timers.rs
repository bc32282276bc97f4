//! The times a run waits for.

use std::time::{Duration, Instant};

use car_api::run::RunState;
use car_engine::flow::Input;

use super::actor::Actor;
use crate::clock;

/// How long an interrupted turn may take to end before its process is ended.
const INTERRUPT_GRACE: Duration = Duration::from_secs(30);

impl Actor {
    /// When something is to be done although nothing happens.
    pub(super) fn deadline(&self) -> Option<tokio::time::Instant> {
        let wake = self.wake.map(|at| Instant::now() + clock::until(at));
        let turn = self.turn.as_ref().map(|at_work| {
            let waits_for_person = self.approvals.iter().any(|row| row.decision.is_none());
            let flow = &self.config;
            let idle = at_work.last_line + Duration::from_secs(flow.turn_idle_timeout_s.max(1));
            let over = at_work.began + Duration::from_secs(flow.turn_timeout_s.max(1));
            let budget = self.time_left().map(|left| at_work.began + left);
            match at_work.interrupted_at {
                Some(since) => since + INTERRUPT_GRACE,
                // An agent that waits for a person is not idle.
                None if waits_for_person => budget.map_or(over, |at| at.min(over)),
                None => budget.map_or(over, |at| at.min(over)).min(idle),
            }
        });
        let soonest = match (wake, turn) {
            (Some(wake), Some(turn)) => Some(wake.min(turn)),
            (wake, turn) => wake.or(turn),
        };
        soonest.map(tokio::time::Instant::from_std)
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
                self.session_over("It did not stop in time; the hub ended it.").await;
            }
            let _ = self.apply(Input::Elapsed);
            return;
        }
        let left = self.time_left();
        let idle_limit = self.config.turn_idle_timeout_s;
        let Some(at_work) = &mut self.turn else { return };
        if let Some(since) = at_work.interrupted_at {
            if since.elapsed() >= INTERRUPT_GRACE {
                let detail = "It did not answer an interrupt; the hub ended it.";
                self.session_over(detail).await;
                self.lose_agent(detail.to_owned(), true).await;
            }
            return;
        }
        let budget = left.is_some_and(|left| at_work.began.elapsed() >= left);
        if budget && !at_work.over_budget {
            at_work.over_budget = true;
            at_work.interrupt();
            let what = "The budget of time is used up.".to_owned();
            let _ = self.apply(Input::BudgetReached { what });
            return;
        }
        at_work.interrupt();
        let turn = at_work.row.id.clone();
        let message = format!(
            "No line from the agent for {idle_limit} s, or the turn took too long; interrupting it."
        );
        self.event(car_api::EventKind::AgentNotice { turn, message });
    }
}
