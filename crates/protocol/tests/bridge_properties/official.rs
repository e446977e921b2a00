//! The official JSON Schemas, and whether a message is legal by them.
//!
//! They are read out of the installed conformance suite when the tests run (`cargo xtask deps`
//! installs it), so that nothing of the specification is copied here.

use jsonschema::Validator;
use ringwall_protocol::Revision;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// The schema of one revision.
pub(crate) struct Official {
    pub(crate) whole: Value,
    /// Where the definitions stand: `$defs`, or `definitions` in older drafts.
    pub(crate) place: &'static str,
    methods: HashMap<String, String>,
    errors: HashMap<i64, String>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// The schema of this revision.
pub(crate) fn official(revision: Revision) -> &'static Official {
    static ALL: OnceLock<HashMap<String, Official>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let Value::Object(schemas) = extracted() else {
            panic!("the schemas are no object")
        };
        let schemas = schemas.into_iter();
        schemas
            .map(|(date, whole)| (date, Official::new(whole)))
            .collect()
    });
    all.get(revision.date())
        .unwrap_or_else(|| panic!("the suite holds no schema of {revision}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "reads the schemas out of a JavaScript file"
)]
fn extracted() -> Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = |path: &str| -> PathBuf {
        let path = here.join("../../.deps/node_modules").join(path);
        assert!(
            path.exists(),
            "{path:?} is not installed: run `cargo xtask deps`"
        );
        path
    };
    let output = std::process::Command::new(installed("node/bin/node"))
        .arg(here.join("tests/official_schemas.mjs"))
        .arg(installed("@modelcontextprotocol/conformance/dist/index.js"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Official {
    fn new(mut whole: Value) -> Self {
        let place = match whole.get("$defs") {
            Some(_) => "$defs",
            None => "definitions",
        };
        // Numbers are meant; the older schemas say integers.
        for name in ["minimum", "maximum", "default"] {
            let kind = format!("/{place}/NumberSchema/properties/{name}/type");
            if let Some(kind) = whole.pointer_mut(&kind) {
                *kind = json!("number");
            }
        }
        // Any JSON value is meant; fractions and null were lost where the schema was generated.
        if let Some(kinds) = whole.pointer_mut(&format!("/{place}/JSONValue/anyOf/2/type")) {
            *kinds = json!(["string", "number", "boolean", "null"]);
        }
        let mut methods = HashMap::new();
        let mut errors = HashMap::new();
        for (name, definition) in whole.get(place).and_then(Value::as_object).unwrap() {
            // `ClientNotification` of 2026-07-28 is an alias of the only one there is.
            let is_union = name.starts_with("Client") || name.starts_with("Server");
            let method = definition
                .pointer("/properties/method/const")
                .and_then(Value::as_str);
            if let Some(method) = method.filter(|_| !is_union) {
                methods.insert(method.to_owned(), name.clone());
            }
            let code = definition.pointer("/properties/error/allOf/1/properties/code/const");
            if let Some(code) = code.and_then(Value::as_i64) {
                errors.insert(code, name.clone());
            }
        }
        Official {
            whole,
            place,
            methods,
            errors,
            validators: Mutex::default(),
        }
    }

    /// The definition of this name.
    pub(crate) fn definition(&self, name: &str) -> &Value {
        let found = self.whole.pointer(&format!("/{}/{name}", self.place));
        found.unwrap_or_else(|| panic!("no definition of {name}"))
    }

    /// What the messages of this method are called in the schema.
    pub(crate) fn name_of(&self, method: &str) -> Option<&str> {
        self.methods.get(method).map(String::as_str)
    }

    /// What the results of this method are called in the schema.
    pub(crate) fn result_of(&self, method: &str) -> String {
        let name = self
            .name_of(method)
            .unwrap_or_else(|| panic!("{method} does not exist"));
        name.replace("Request", "Result")
    }

    fn validator(&self, name: &str) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap();
        let compile = || {
            self.definition(name);
            let schema = json!({
                "$schema": self.whole.get("$schema"),
                self.place: self.whole.get(self.place),
                "allOf": [{ "$ref": format!("#/{}/{name}", self.place) }],
            });
            Arc::new(jsonschema::validator_for(&schema).unwrap())
        };
        Arc::clone(known.entry(name.to_owned()).or_insert_with(compile))
    }

    /// Fails unless the value is what the definition says.
    pub(crate) fn check(&self, name: &str, value: &Value) {
        let validator = self.validator(name);
        let complaints: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            complaints.is_empty(),
            "{name}: {complaints:#?} in {value:#}"
        );
    }

    /// Fails unless the message is legal. `asked` is the method that a result answers.
    pub(crate) fn check_message(&self, message: &Value, asked: Option<&str>) {
        let either = |new: &'static str, old: &'static str| {
            let known = self.whole.get(self.place).and_then(|all| all.get(new));
            known.map_or(old, |_| new)
        };
        if let Some(method) = message.get("method").and_then(Value::as_str) {
            self.check(
                match message.get("id") {
                    Some(_) => "JSONRPCRequest",
                    None => "JSONRPCNotification",
                },
                message,
            );
            let name = self.name_of(method);
            return self.check(
                name.unwrap_or_else(|| panic!("{method} does not exist")),
                message,
            );
        }
        if let Some(error) = message.get("error") {
            let code = error.get("code").and_then(Value::as_i64).unwrap();
            let named = self.errors.get(&code).map(String::as_str);
            // Definitions of plain errors describe the inner object only.
            self.check(either("JSONRPCErrorResponse", "JSONRPCError"), message);
            if let Some(name) = named {
                self.check(name, message);
            }
            return;
        }
        self.check(either("JSONRPCResultResponse", "JSONRPCResponse"), message);
        let result = message.get("result").unwrap();
        match result.get("resultType").and_then(Value::as_str) {
            Some("input_required") => self.check("InputRequiredResult", result),
            _ => self.check(&self.result_of(asked.unwrap()), result),
        }
    }
}
