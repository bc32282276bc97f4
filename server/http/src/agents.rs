//! `/agents`

use car_api::{
    AgentId, Page,
    agent::{Agent, Model},
};

use crate::{
    body::Json,
    caller::Acting,
    extract::{Paging, Path, Query},
    problem::Answer,
};

/// List agents and whether they can be used
#[utoipa::path(
    get, path = "/agents", tag = "agents", operation_id = "agent_list", params(Paging),
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("any"))),
    responses((status = 200, description = "One page of the registry, by id", body = Page<Agent>)),
)]
pub(crate) async fn list(
    Acting(hub): Acting,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Agent>>> {
    Ok(Json(hub.agent_list(paging.page()?).await?))
}

/// List the models an agent offers
#[utoipa::path(
    get, path = "/agents/{agent}/models", tag = "agents", operation_id = "agent_models",
    params(("agent" = AgentId, Path, description = "Agent"), Paging),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-problems" = json!(["agent_unavailable"]))),
    responses((status = 200, description = "One page, in the agent's own order", body = Page<Model>)),
)]
pub(crate) async fn models(
    Acting(hub): Acting,
    Path(agent): Path<AgentId>,
    Query(paging): Query<Paging>,
) -> Answer<Json<Page<Model>>> {
    Ok(Json(hub.agent_models(&agent, paging.page()?).await?))
}
