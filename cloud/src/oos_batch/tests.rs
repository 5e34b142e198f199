use serde_json::{Value, json};

use super::*;
use crate::parts::FoundPart;

const THREE: [&str; 3] = ["/prod/a", "b", "c"];

fn parameter(name: &str, value: &str) -> Value {
    json!({"Name": name, "Value": value, "ParameterVersion": 2, "Type": "Secret"})
}

fn told(body: &Value) -> Option<Vec<String>> {
    let parts = read(body.to_string().as_bytes(), &THREE, &[]).ok()?;
    let text = |found| match found {
        FoundPart::Value(value) => String::from_utf8(value.bytes.expose().to_vec()).unwrap(),
        FoundPart::Refused(_) => String::from("refused"),
        FoundPart::Alone => String::from("alone"),
    };
    Some(parts.into_found().into_iter().map(text).collect())
}

#[test]
fn names_are_one_json_text() {
    assert_eq!(list(&["/prod/db/password", "api-token"]), r#"["/prod/db/password","api-token"]"#);
}

#[test]
fn a_parameter_that_does_not_exist_or_is_not_decrypted_is_asked_for_by_itself() {
    let locked = json!({"Name": "c", "ParameterVersion": 1});
    let parameters = [locked, parameter("/prod/a", "1")];
    let body = json!({"Parameters": parameters, "InvalidParameters": ["b"], "RequestId": "r"});
    assert_eq!(told(&body).unwrap(), ["1", "alone", "alone"]);
    let none = json!({"InvalidParameters": THREE});
    assert_eq!(told(&none).unwrap(), ["alone"; 3]);
}

#[test]
fn an_answer_that_is_not_for_each_name_once_counts_for_nothing() {
    let [a, b, c] = THREE.map(|name| parameter(name, name));
    for (parameters, invalid) in [
        (json!([a, b]), json!([])),
        (json!([a, b, c, c]), json!([])),
        (json!([a, b, c]), json!(["c"])),
        (json!([a, b, parameter("d", "4")]), json!([])),
        (json!([a, b, {"Name": "c", "Value": "x"}]), json!([])),
        (json!([a, b, c]), json!(["d"])),
        (json!([a, b, c]), json!([7])),
        (json!({"Parameter": [a, b, c]}), json!([])),
        (json!(vec![a.clone(); 11]), json!([])),
    ] {
        let body = json!({"Parameters": parameters, "InvalidParameters": invalid});
        assert!(told(&body).is_none(), "{body}");
    }
    assert!(told(&json!({"Code": "Forbidden.RAM"})).is_none());
    assert_eq!(told(&json!({"Parameters": [a, b, c]})).unwrap(), THREE);
}
