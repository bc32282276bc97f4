//! JSON in the one form in which it is hashed (RFC 8785).

use serde_json::Value;

/// The text of a value: members sorted, no space, the shortest escapes. Numbers must be integers
/// that a double holds exactly, which is all the chain has.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            // By UTF-16 code units, as the RFC has it.
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<u16>>());
            text.push('{');
            for (place, (name, value)) in sorted.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(text, &Value::String(name.clone()));
                text.push(':');
                write(text, value);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(text, item);
            }
            text.push(']');
        }
        // serde_json's escapes are those of the RFC.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_rfc_has_it() {
        // RFC 8785, 3.2.2 and 3.2.3, without its fractions.
        let value: Value = serde_json::from_str(
            r#"{ "numbers": [333333333, 4, 2], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                 "literals": [null, true, false] }"#,
        )
        .unwrap();
        assert_eq!(
            text(&value),
            "{\"literals\":[null,true,false],\"numbers\":[333333333,4,2],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        let value: Value = serde_json::from_str(
            "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
        )
        .unwrap();
        let order: String = text(&value).chars().filter(char::is_ascii_digit).collect();
        assert_eq!(order, "214".to_owned() + "6" + "7" + "1" + "5" + "3");
    }
}
