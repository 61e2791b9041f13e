//! Parameters: what a request has besides its body, and how it is written.

use serde_json::Value as Json;

use crate::schema::Schema;
use crate::source::Place;

/// What a query parameter is called that says how many items a list has at most, in lower case and without what joins
/// words.
const LIMITS: [&str; 8] = ["limit", "pagesize", "perpage", "maxresults", "maxitems", "top", "take", "pagelimit"];
/// What one is called that numbers pages.
pub const PAGES: [&str; 5] = ["page", "pagenumber", "pageno", "pageindex", "pagenum"];

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name as written.
    pub name: String,
    /// The part of the request that carries it.
    pub location: ParameterLocation,
    /// Whether it is required.
    pub required: bool,
    /// How a value becomes text.
    pub style: Style,
    /// Whether each item or member is written separately.
    pub explode: bool,
    /// Whether reserved characters are left unescaped.
    pub allow_reserved: bool,
    /// The media type of its text, if `content` describes it; style and explode mean nothing then.
    pub media_type: Option<String>,
    /// Its schema.
    pub schema: Schema,
    /// Its own examples and those of its schema, in this order.
    pub examples: Vec<Json>,
    /// The value that the server assumes if it is left out.
    pub default: Option<Json>,
    /// Its JSON Pointer.
    pub pointer: String,
    /// Its place.
    pub place: Place,
}

impl Parameter {
    /// Whether a valid value of it is written as nothing at all, so that nobody can tell it from none.
    pub fn may_be_nothing(&self) -> bool {
        let schema = self.schema.json();
        let least = |keyword: &str| schema[keyword].as_u64().unwrap_or(0);
        let has_required = schema["required"].as_array().is_some_and(|required| !required.is_empty());
        let is =
            |name: &str| schema["type"] == name || schema["type"].as_array().is_some_and(|t| t.contains(&name.into()));
        let is_empty =
            (is("object") && !has_required && least("minProperties") == 0) || (is("array") && least("minItems") == 0);
        is_empty && self.media_type.is_none()
    }

    /// Whether it says how many items of a list an answer has at most, as one among these parameters. A size is one of pages
    /// only where there are pages.
    pub fn is_limit(&self, among: &[Self]) -> bool {
        let name = plain(&self.name);
        let is_of_pages = |p: &Self| p.location == ParameterLocation::Query && PAGES.contains(&plain(&p.name).as_str());
        let is_called = LIMITS.contains(&name.as_str()) || (name == "size" && among.iter().any(is_of_pages));
        self.location == ParameterLocation::Query && is_called
    }
}

/// A name without case and without what joins its words.
pub fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The part of a request that carries a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterLocation {
    /// The path.
    Path,
    /// One name of the query.
    Query,
    /// The whole query (OpenAPI 3.2).
    Querystring,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

impl ParameterLocation {
    /// The word that documents use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Querystring => "querystring",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }

    /// The location of this name.
    pub fn read(name: &str) -> Option<Self> {
        [Self::Path, Self::Query, Self::Querystring, Self::Header, Self::Cookie].into_iter().find(|l| l.name() == name)
    }

    /// The default style of a parameter.
    pub fn default_style(self) -> Style {
        match self {
            Self::Path | Self::Header => Style::Simple,
            Self::Query | Self::Querystring | Self::Cookie => Style::Form,
        }
    }
}

/// How a value becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// `3,4,5`
    Simple,
    /// `.3.4.5`
    Label,
    /// `;name=3,4,5`
    Matrix,
    /// `name=3,4,5` or `name=3&name=4&name=5`
    Form,
    /// `name=3%204%205`
    SpaceDelimited,
    /// `name=3|4|5`
    PipeDelimited,
    /// `name[key]=3`
    DeepObject,
    /// `name=3; name=4` (OpenAPI 3.2)
    Cookie,
}

impl Style {
    const ALL: [Self; 8] = [
        Self::Simple,
        Self::Label,
        Self::Matrix,
        Self::Form,
        Self::SpaceDelimited,
        Self::PipeDelimited,
        Self::DeepObject,
        Self::Cookie,
    ];

    /// The word that documents use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Label => "label",
            Self::Matrix => "matrix",
            Self::Form => "form",
            Self::SpaceDelimited => "spaceDelimited",
            Self::PipeDelimited => "pipeDelimited",
            Self::DeepObject => "deepObject",
            Self::Cookie => "cookie",
        }
    }

    /// The style of this name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.name() == name)
    }

    /// Whether a parameter in this part of a request can have it.
    pub fn fits(self, location: ParameterLocation) -> bool {
        use ParameterLocation as In;
        match self {
            Self::Simple => matches!(location, In::Path | In::Header),
            Self::Label | Self::Matrix => location == In::Path,
            Self::Form => matches!(location, In::Query | In::Cookie | In::Querystring),
            Self::SpaceDelimited | Self::PipeDelimited | Self::DeepObject => location == In::Query,
            Self::Cookie => location == In::Cookie,
        }
    }

    /// Whether items and members are written separately unless the document says otherwise.
    pub fn explodes(self) -> bool {
        matches!(self, Self::Form | Self::Cookie)
    }
}
