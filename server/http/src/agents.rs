//! `/agents`

use car_api::{
    AgentId, Page,
    agent::{Agent, Model},
};

use crate::{body::Json, caller::Acting, extract::Path, problem::Answer};

/// List agents and whether they can be used
#[utoipa::path(
    get, path = "/agents", tag = "agents", operation_id = "agent_list",
    extensions(("x-scope" = json!("read")), ("x-agents" = json!(true)), ("x-limited" = json!("any"))),
    responses((status = 200, description = "All agents of the registry", body = Page<Agent>)),
)]
pub(crate) async fn list(Acting(hub): Acting) -> Answer<Json<Page<Agent>>> {
    Ok(Json(hub.agent_list().await?))
}

/// List the models an agent offers
#[utoipa::path(
    get, path = "/agents/{agent}/models", tag = "agents", operation_id = "agent_models",
    params(("agent" = AgentId, Path, description = "Agent")),
    extensions(("x-scope" = json!("read")), ("x-limited" = json!("any")), ("x-problems" = json!(["agent_unavailable"]))),
    responses((status = 200, description = "All models it offers", body = Page<Model>)),
)]
pub(crate) async fn models(
    Acting(hub): Acting,
    Path(agent): Path<AgentId>,
) -> Answer<Json<Page<Model>>> {
    Ok(Json(hub.agent_models(&agent).await?))
}
