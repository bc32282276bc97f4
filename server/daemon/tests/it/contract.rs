//! The checked-in document is what the handlers say, and it is whole.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

fn checked_in(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi").join(name)
}

fn document() -> Value {
    serde_json::from_str(&car_http::openapi().unwrap()).unwrap()
}

/// Every operation: path, method, description.
pub(crate) fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
        })
        .collect()
}

/// Both the document and what the hub itself reads of it: who may call what.
#[test]
fn the_document_is_current() {
    let written = [
        ("openapi.json", car_http::openapi().unwrap()),
        ("operations.txt", car_http::operations_table()),
    ];
    for (name, actual) in written {
        if std::env::var_os("UPDATE").is_some() {
            fs::write(checked_in(name), &actual).unwrap();
        }
        let expected = fs::read_to_string(checked_in(name)).unwrap_or_default();
        assert!(
            expected == actual,
            "openapi/{name} is out of date; run:\n  UPDATE=1 cargo nextest run -p car-daemon the_document_is_current"
        );
    }
}

#[test]
fn every_reference_resolves() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                    let pointer = target.strip_prefix('#').unwrap_or_default();
                    assert!(document.pointer(pointer).is_some(), "{target} is not there");
                }
                map.values().for_each(|value| check(document, value));
            }
            Value::Array(list) => list.iter().for_each(|value| check(document, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    assert!(document["components"]["schemas"].as_object().unwrap().len() > 40);
    check(&document, &document);
}

/// A schema is derived beside the serialisation; this holds one to the other.
#[test]
fn closed_sets_are_documented_by_their_words() {
    let document = document();
    let words = |name: &str| -> Vec<String> {
        let list = document.pointer(&format!("/components/schemas/{name}/enum"));
        serde_json::from_value(list.unwrap().clone()).unwrap()
    };
    let all = |words: &[car_api::run::RunStatus]| {
        words.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(words("RunStatus"), all(car_api::run::RunStatus::ALL));
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for word in schema["enum"].as_array().into_iter().flatten() {
            let word = word.as_str().unwrap();
            assert_eq!(word, word.to_lowercase(), "{name} names a variant, not its word");
        }
    }
}

#[test]
fn every_operation_is_described() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(!id.is_empty(), "{method} {path} has no operationId");
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{id}: no summary");
        let responses = operation["responses"].as_object().unwrap();
        let good = |status: &String| status.starts_with('2') || status == "101";
        assert!(responses.keys().any(good), "{id}: no success");
        assert!(responses.contains_key("421"), "{id}: problems are not documented");
        for (status, response) in responses {
            let text = response["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{id}: {status} has no description");
        }
        let named: BTreeSet<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let in_path: BTreeSet<_> =
            path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(named, in_path, "{id}: parameters of the path");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{id}: {} says nothing",
                parameter["name"]
            );
        }
    }
}

/// Filters are checked against this list; a kind that is missing from it could not be asked for.
#[test]
fn every_kind_of_event_has_its_word() {
    let document = document();
    let variants = document.pointer("/components/schemas/EventKind/oneOf").unwrap();
    let kinds: Vec<_> = variants
        .as_array()
        .unwrap()
        .iter()
        .map(|variant| {
            let mut words = Vec::new();
            words_of_kind(variant, &mut words);
            words.pop().unwrap_or_else(|| panic!("no kind: {variant}"))
        })
        .collect();
    assert_eq!(kinds, car_api::EventKind::WORDS);
}

/// The words a schema allows for its member `kind`, whether it is composed of others or not.
fn words_of_kind(schema: &Value, into: &mut Vec<String>) {
    if let Some(kind) = schema.pointer("/properties/kind") {
        let word = kind.get("const").or_else(|| kind.pointer("/enum/0"));
        into.extend(word.and_then(Value::as_str).map(str::to_owned));
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        words_of_kind(part, into);
    }
}
