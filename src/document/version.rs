//! The version of OpenAPI that a document is written in.

use serde_json::Value as Json;

use crate::schema::registry::Dialect;
use crate::source::Result;
use crate::yaml::{Node, Value};

/// A supported version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V30,
    V31,
    V32,
}

impl Version {
    /// The version that a document names.
    pub(super) fn read(root: &Node) -> Result<Self> {
        if let Some(node) = root.get("swagger") {
            return Err(node.error("this is a Swagger 2 document").help(
                "probity reads OpenAPI 3: convert it first, for example with `npx swagger2openapi` or https://converter.swagger.io",
            ));
        }
        let Some(node) = root.get("openapi") else {
            return Err(root
                .error("this is not an OpenAPI document: it has no `openapi`")
                .help("an OpenAPI document names its version: `openapi: 3.1.0`"));
        };
        let version = match &node.value {
            Value::Scalar(Json::String(text)) => text.clone(),
            Value::Scalar(Json::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let mut numbers = version.split('.');
        match (numbers.next(), numbers.next().and_then(|n| n.parse::<u32>().ok())) {
            (Some("3"), Some(0)) => Ok(Self::V30),
            (Some("3"), Some(1)) => Ok(Self::V31),
            // Later minor versions are read like 3.2.
            (Some("3"), Some(2..)) => Ok(Self::V32),
            _ => Err(node
                .error(format!("OpenAPI {version} is not supported"))
                .help("probity reads OpenAPI 3.0, 3.1 and 3.2")),
        }
    }

    /// The rules of its schemas.
    pub(super) fn dialect(self) -> Dialect {
        if self == Self::V30 { Dialect::OpenApi30 } else { Dialect::Draft202012 }
    }
}
