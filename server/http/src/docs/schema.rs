//! Schemas of the document in a reader's terms.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// How deep an example goes.
const DEEP: u32 = 4;

/// What a value is: words before, a schema by its name, words behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Kind {
    before: String,
    link: Option<String>,
    after: String,
}

/// A member of an object.
#[derive(Serialize)]
pub(super) struct Field {
    name: String,
    kind: Kind,
    required: bool,
    text: String,
}

/// One of several forms of an object.
#[derive(Serialize)]
pub(super) struct Variant {
    name: String,
    text: String,
    fields: Vec<Field>,
}

fn plain(text: impl Into<String>) -> Kind {
    Kind { before: text.into(), link: None, after: String::new() }
}

/// What a schema says a value is.
pub(super) fn kind(schema: &Value) -> Kind {
    if let Some(name) = reference(schema) {
        return Kind { before: String::new(), link: Some(name.to_owned()), after: String::new() };
    }
    if let Some(some) = one_or_null(schema) {
        let kind = kind(some);
        return Kind { after: format!("{} or null", kind.after), ..kind };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if types.contains(&"array") {
        let of = kind(&schema["items"]);
        return Kind { before: format!("list of {}", of.before), ..of };
    }
    let mut text = if types.is_empty() { "any".to_owned() } else { types.join(" or ") };
    if let Some(format) = schema["format"].as_str().filter(|format| !format.starts_with("int")) {
        text = format!("{text} ({format})");
    }
    let bound = |name: &str| schema[name].as_f64();
    text += &match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    };
    plain(text)
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn one_or_null(schema: &Value) -> Option<&Value> {
    let forms = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())?;
    let (nulls, rest): (Vec<&Value>, Vec<&Value>) =
        forms.iter().partition(|form| form["type"] == "null");
    match (nulls.is_empty(), rest.as_slice()) {
        (false, [one]) => Some(one),
        (true, [one]) => Some(one),
        _ => None,
    }
}

/// The schema a reference names.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let named =
        reference(schema).and_then(|name| document.pointer("/components/schemas")?.get(name));
    named.unwrap_or(schema)
}

/// The words of a closed set.
pub(super) fn words(schema: &Value) -> Vec<String> {
    let all = schema["enum"].as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The members of an object.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let all = schema["properties"].as_object().into_iter().flatten();
    all.map(|(name, schema)| Field {
        name: name.clone(),
        kind: match schema["enum"].as_array().map(Vec::as_slice) {
            Some([Value::String(only)]) => plain(format!("“{only}”")),
            Some(_) | None => kind(schema),
        },
        required: required.contains(&name.as_str()),
        text: schema["description"].as_str().unwrap_or_default().to_owned(),
    })
    .collect()
}

/// The forms of an object that has several.
pub(super) fn variants(schema: &Value) -> Vec<Variant> {
    if one_or_null(schema).is_some() {
        return Vec::new();
    }
    let forms = schema["oneOf"].as_array().into_iter().flatten();
    forms
        .map(|form| {
            let properties = form["properties"].as_object().into_iter().flatten();
            let tag = properties.filter_map(|(_, value)| value["enum"][0].as_str()).next();
            Variant {
                name: tag.unwrap_or_default().to_owned(),
                text: form["description"].as_str().unwrap_or_default().to_owned(),
                fields: fields(form),
            }
        })
        .collect()
}

/// A value the schema allows, with what is required in it.
pub(super) fn example(document: &Value, schema: &Value, depth: u32) -> Value {
    let schema = resolve(document, schema);
    if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()) {
        return word.clone();
    }
    if depth > DEEP {
        return Value::Null;
    }
    if let Some(form) = schema["oneOf"].as_array().and_then(|forms| forms.first()) {
        return example(document, form, depth + 1);
    }
    let several = schema["type"].as_array().and_then(|several| several.first());
    let kind = several.unwrap_or(&schema["type"]);
    match kind.as_str().unwrap_or_default() {
        "object" => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let all = required.is_empty();
            let members: Map<String, Value> = properties
                .iter()
                .filter(|(name, _)| all || required.iter().any(|known| known == *name))
                .take(if all { 1 } else { usize::MAX })
                .map(|(name, schema)| (name.clone(), example(document, schema, depth + 1)))
                .collect();
            Value::Object(members)
        }
        "array" => json!([]),
        "boolean" => json!(true),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "null" => Value::Null,
        _ => json!("…"),
    }
}
