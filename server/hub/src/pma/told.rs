//! What the project manager is told: everything once in a conversation, then what has changed.

use std::sync::Arc;

use car_api::{
    pma::PmaDocName,
    thread::{Message, MessageOrigin},
};
use car_engine::pma::{
    context,
    prompt::{Sections, Told, build},
};
use car_store::{ThreadRow, Write};

use crate::{Hub, Result, hub::Inner, threads::Said};

impl Inner {
    /// The project manager's prompt of a message.
    pub(crate) async fn pma_prompt(
        self: &Arc<Self>,
        thread: &ThreadRow,
        message: &Message,
        said: Said,
        seed: Option<&str>,
    ) -> Result<String> {
        self.keep_active_context_short().await;
        let config = &self.config.pma;
        let text = async |name| Ok::<_, crate::Error>(self.pma_doc(name).await?.content);
        let log = text(PmaDocName::ContextLog).await?;
        let sections = Sections {
            part: text(PmaDocName::Prompt).await?,
            guidance: text(PmaDocName::Agents).await?,
            active: text(PmaDocName::ActiveContext).await?,
            active_budget: config.active_context_max_lines,
            log_tail: context::tail(&log, config.context_log_tail_lines).to_owned(),
            packet: Hub::own(Arc::clone(self)).pma_packet().await?,
            message: said.words,
            wake: message.origin == MessageOrigin::Wake,
            attachments: message.attachments.clone(),
            again: said.again,
            seed: seed.map(str::to_owned),
        };
        // A conversation the agent has not opened knows nothing, whatever was said of it.
        let told = match &thread.lane.backend {
            Some(_) => self.store.told(&thread.id, thread.lane.conversation).await?,
            None => Told::default(),
        };
        let built = build(&sections, &told, config.docs_max_chars);
        let pending = Write::ThreadTold {
            thread: thread.id.clone(),
            conversation: thread.lane.conversation,
            pending: Box::new(built.told),
        };
        self.store.commit(vec![pending]).await?;
        Ok(built.text)
    }

    /// The turn ended: what it was told is known, when it ended well.
    pub(crate) async fn pma_told(&self, thread: &ThreadRow, failed: bool) {
        if failed || thread.lane.backend.is_none() {
            return;
        }
        let settled = Write::ThreadToldSettled(thread.id.clone());
        if let Err(error) = self.store.commit(vec![settled]).await {
            tracing::warn!(%error, "what the project manager was told could not be written");
        }
    }

    /// The agent shortened its conversation: it is told everything again.
    pub(crate) async fn pma_untold(&self, thread: &ThreadRow) {
        let gone = Write::ThreadToldGone(thread.id.clone());
        if let Err(error) = self.store.commit(vec![gone]).await {
            tracing::warn!(%error, "what the project manager was told could not be forgotten");
        }
    }
}
