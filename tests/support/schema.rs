//! The JSON Schemas that editors are given.

use serde_json::Value;

use super::probity;

/// What `probity schema` prints for a kind of file, ready to validate.
pub struct Schema(jsonschema::Validator);

impl Schema {
    /// `settings`, `contract` or `cases`.
    pub fn of(kind: &str) -> Self {
        let printed = probity("schema").arg(kind).exits(0).stdout;
        let schema: Value = serde_json::from_str(&printed).expect("JSON");
        Self(jsonschema::draft202012::options().build(&schema).expect("a schema"))
    }

    /// Whether a file is as the schema says.
    pub fn takes(&self, file: &Value) -> bool {
        self.0.is_valid(file)
    }

    /// Fails a test unless a file is as the schema says.
    pub fn fits(&self, name: &str, file: &Value) {
        let errors: Vec<String> =
            self.0.iter_errors(file).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

/// A file of YAML, read as the loader reads it.
pub fn yaml(text: &str) -> Value {
    probity::yaml::parse(&probity::source::Source::new("test.yaml", text)).expect("YAML").to_json()
}

/// A file of TOML.
pub fn toml(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).expect("TOML")).expect("JSON")
}
