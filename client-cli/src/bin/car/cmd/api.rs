//! `car api`: any request at all, for what has no command of its own.

use std::path::Path;

use car_client::RawRequest;
use clap::Args;

use super::edit;
use crate::{failure::Failure, session::Session};

#[derive(Args)]
#[command(after_help = "Examples:
  car api GET hub
  car api GET repos --query kind=base --query limit=5
  car api POST repos/demo/runs --data '{\"max_total_turns\": 5}'
  car api PUT repos/demo/contextspace/spec --data @spec.json --header 'If-Match: *'
The document of all operations: car hub openapi")]
pub(crate) struct Api {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`
    method: String,
    /// Below `/api/v1/`, or from the hub's address on when it begins with `/`
    target: String,
    /// The body: JSON, `@FILE`, or `@-` for standard input
    #[arg(long, short, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// A query parameter; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    query: Vec<String>,
    /// A header field; may be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    header: Vec<String>,
}

pub(crate) async fn run(args: Api, s: &Session) -> Result<(), Failure> {
    let Api { method, target, data, query, header } = args;
    let body = match data.as_deref().map(|data| (data, data.strip_prefix('@'))) {
        Some((_, Some(file))) => Some(edit::read(Path::new(file))?.into_bytes()),
        Some((data, None)) => Some(data.as_bytes().to_vec()),
        None => None,
    };
    let request = RawRequest {
        method,
        path: target,
        query: pairs(&query, '=')?,
        headers: pairs(&header, ':')?,
        body,
    };
    let answer = s.client.raw(request).await?;
    let json = answer.content_type.as_deref().is_some_and(|kind| kind.contains("json"));
    match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(value) if json => s.out.json(&value),
        Ok(_) | Err(_) => s.out.bytes(&answer.body),
    }
}

fn pairs(texts: &[String], between: char) -> Result<Vec<(String, String)>, Failure> {
    let pair = |text: &String| match text.split_once(between) {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(Failure::Usage(format!("`{text}`: NAME{between}VALUE is needed"))),
    };
    texts.iter().map(pair).collect()
}
