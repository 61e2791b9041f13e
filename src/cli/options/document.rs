//! A document, from a file or from a server.

use std::io;
use std::path::Path;

use url::Url;

use crate::document::Document;
use crate::exchange::bare;
use crate::http::{block_on, fetch::fetch};
use crate::source::{Diagnostic, Result, Source};

/// Reads a document with the files that it refers to.
///
/// # Errors
/// It cannot be read, or is no OpenAPI document.
pub(crate) fn read(place: &str) -> Result<Document> {
    if !is_url(place) {
        return from_file(Path::new(place));
    }
    // The text itself may hold a password.
    let url = Url::parse(place).map_err(|e| Diagnostic::new(format!("--document is not a URL: {e}")))?;
    from_server(&url)
}

/// What a document is called in reports and commands: of an address, the parts that hold no secret.
pub(crate) fn shown(place: &str) -> String {
    let address = Url::parse(place).ok().filter(|_| is_url(place));
    address.map_or_else(|| place.to_owned(), |url| bare(url).to_string())
}

fn is_url(place: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| place.to_ascii_lowercase().starts_with(scheme))
}

fn from_file(path: &Path) -> Result<Document> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Diagnostic::new(format!("cannot read {}: {e}", path.display()))
            .help("name a document's file or URL with --document")
    })?;
    let beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let load = |path: &str| Ok(Source::new(path, std::fs::read_to_string(beside.join(path))?));
    Document::read(&Source::new(path.display().to_string(), text), &load)
}

fn from_server(url: &Url) -> Result<Document> {
    let get =
        |url: &Url| block_on(fetch(url)).map_err(|e| io::Error::other(e.title().to_owned()))?.map_err(io::Error::other);
    let text = get(url).map_err(|e| {
        Diagnostic::new(format!("cannot read the document: {e}"))
            .help("open its URL in a browser, or save it and name the file")
    })?;
    let load = |path: &str| {
        let beside = url.join(path).map_err(io::Error::other)?;
        // What a document refers to is not fetched from other servers than its own.
        if beside.origin() != url.origin() {
            return Err(io::Error::other("it is on another server"));
        }
        Ok(Source::new(path, get(&beside)?))
    };
    Document::read(&Source::new(bare(url.clone()).to_string(), text), &load)
}
