//! What the page shows, as its template takes it.

use serde::Serialize;
use serde_json::Value;

use super::{
    commands,
    schema::{self, Field},
};

/// In which order a newcomer meets things; what is not named comes last.
const ORDER: [&str; 11] = [
    "hub",
    "repos",
    "worktrees",
    "tickets",
    "contextspace",
    "runs",
    "events",
    "jobs",
    "agents",
    "terminals",
    "tokens",
];

/// The whole page.
#[derive(Serialize)]
pub(super) struct View {
    title: String,
    version: String,
    about: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
    codes: Vec<Code>,
}

/// Operations of one kind of thing.
#[derive(Serialize)]
struct Group {
    name: String,
    operations: Vec<Operation>,
}

#[derive(Serialize)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    text: Vec<String>,
    scope: Option<String>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: Vec<Answer>,
    problems: Vec<Answer>,
    command: Option<&'static str>,
    curl: String,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    place: String,
    required: bool,
    kind: schema::Kind,
    text: String,
}

#[derive(Serialize)]
struct Body {
    media: String,
    kind: schema::Kind,
    fields: Vec<Field>,
    example: String,
}

#[derive(Serialize)]
struct Answer {
    status: String,
    text: String,
    kind: Option<schema::Kind>,
}

#[derive(Serialize)]
struct Schema {
    name: String,
    text: String,
    words: Vec<String>,
    fields: Vec<Field>,
    variants: Vec<schema::Variant>,
}

#[derive(Serialize)]
struct Code {
    word: String,
    status: u16,
    title: String,
}

/// The page of a document.
pub(super) fn of(document: &Value) -> View {
    let text = |pointer: &str| string(document.pointer(pointer));
    View {
        title: text("/info/title"),
        version: text("/info/version"),
        about: text("/info/description"),
        groups: groups(document),
        schemas: schemas(document),
        codes: car_api::Code::ALL
            .iter()
            .map(|code| Code {
                word: code.to_string(),
                status: code.status(),
                title: code.title().to_owned(),
            })
            .collect(),
    }
}

fn string(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let name = string(operation.pointer("/tags/0"));
            let operation = of_operation(document, path, method, operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group { name, operations: vec![operation] }),
            }
        }
    }
    let place = |group: &Group| ORDER.iter().position(|name| *name == group.name);
    groups.sort_by_key(|group| place(group).unwrap_or(ORDER.len()));
    groups
}

fn of_operation(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let id = string(operation.get("operationId"));
    let body = body(document, operation);
    let all = answers(operation);
    let (problems, answers) = all.into_iter().partition(|a: &Answer| a.status.as_str() >= "400");
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: string(operation.get("summary")),
        text: paragraphs(&string(operation.get("description"))),
        scope: operation["x-scope"].as_str().map(str::to_owned),
        parameters: parameters(operation),
        curl: curl(path, method, operation, body.as_ref()),
        command: commands::of(&id),
        body,
        answers,
        problems,
        id,
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    let joined = |part: &str| part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    text.split("\n\n").map(joined).filter(|part| !part.is_empty()).collect()
}

fn parameters(operation: &Value) -> Vec<Parameter> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|parameter| Parameter {
        name: string(parameter.get("name")),
        place: string(parameter.get("in")),
        required: parameter["required"].as_bool().unwrap_or(false),
        kind: schema::kind(&parameter["schema"]),
        text: string(parameter.get("description")),
    })
    .collect()
}

fn body(document: &Value, operation: &Value) -> Option<Body> {
    let (media, content) = operation["requestBody"]["content"].as_object()?.iter().next()?;
    let schema = &content["schema"];
    let example = schema::example(document, schema, 0);
    Some(Body {
        media: media.clone(),
        kind: schema::kind(schema),
        fields: schema::fields(schema::resolve(document, schema)),
        example: serde_json::to_string(&example).unwrap_or_default(),
    })
}

fn answers(operation: &Value) -> Vec<Answer> {
    let all = operation["responses"].as_object().into_iter().flatten();
    all.map(|(status, response)| {
        let content = response["content"].as_object().and_then(|all| all.values().next());
        Answer {
            status: status.clone(),
            text: string(response.get("description")),
            kind: content.map(|content| schema::kind(&content["schema"])),
        }
    })
    .collect()
}

fn curl(path: &str, method: &str, operation: &Value, body: Option<&Body>) -> String {
    let mut words = vec!["curl".to_owned()];
    if method != "get" {
        words.push(format!("-X {}", method.to_uppercase()));
    }
    if operation["security"] != serde_json::json!([{}]) {
        words.push("-H \"Authorization: Bearer $CAR_TOKEN\"".to_owned());
    }
    let required = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| {
        parameter["in"] == "header" && parameter["required"].as_bool().unwrap_or(false)
    });
    for parameter in required {
        words.push(format!("-H '{}: *'", string(parameter.get("name"))));
    }
    if let Some(body) = body {
        words.push(format!("-H 'Content-Type: {}'", body.media));
        words.push(format!("-d '{}'", body.example.replace('\'', "'\\''")));
    }
    words.push(format!("\"$CAR_HUB_URL{path}\""));
    words.join(" \\\n  ")
}

fn schemas(document: &Value) -> Vec<Schema> {
    let all = document.pointer("/components/schemas").and_then(Value::as_object);
    let mut all: Vec<Schema> = all
        .into_iter()
        .flatten()
        .map(|(name, schema)| Schema {
            name: name.clone(),
            text: string(schema.get("description")),
            words: schema::words(schema),
            fields: schema::fields(schema),
            variants: schema::variants(schema),
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}
