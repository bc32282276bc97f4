//! `car token …`

use car_api::{
    TokenId,
    token::{Token as Entry, TokenCreate},
};
use clap::Subcommand;

use crate::{failure::Failure, session::Session, table::Table, time_text};

#[derive(Subcommand)]
pub(crate) enum Token {
    /// All of them, without their secrets
    List,
    /// Make a token; its secret is shown only now
    Create {
        /// What it is for
        name: String,
        /// Days until it stops working, 1 to 366 [default: 90]
        #[arg(long)]
        days: Option<u32>,
    },
    /// Make a token stop working, at once
    Delete {
        /// Its id
        token: TokenId,
    },
}

pub(crate) async fn run(args: Token, s: &Session) -> Result<(), Failure> {
    match args {
        Token::List => {
            let list = s.client.token_list().await?;
            s.out.list(&list, |t| t.id.to_string(), "No tokens.", table)
        }
        Token::Create { name, days } => {
            let made = s.client.token_create(&TokenCreate { name, days }).await?;
            // The secret alone on standard output, so that `$(car token create ci)` is just it.
            if !s.out.json {
                let until = time_text::or_dash(made.token.expires_at);
                s.out.note(&format!("{} until {until}; shown only now:", made.token.id));
            }
            s.out.show(&made, |t| t.secret.clone(), |t| t.secret.clone())
        }
        Token::Delete { token } => {
            s.client.token_delete(&token).await?;
            s.out.note(&format!("{token} no longer works"));
            Ok(())
        }
    }
}

fn table(tokens: &[Entry]) -> Table {
    let mut table = Table::new(&["TOKEN", "FOR", "MADE", "UNTIL", "LAST USED"]);
    for token in tokens {
        table.row([
            token.id.as_str().into(),
            token.name.as_str().into(),
            time_text::ago(token.created_at).into(),
            time_text::ago_or_dash(token.expires_at).into(),
            time_text::ago_or_dash(token.last_used_at).into(),
        ]);
    }
    table
}
