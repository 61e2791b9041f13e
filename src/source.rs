//! Text that a person wrote (documents, cases, settings) and errors that point into it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A named text: a file as it was read, or a part of the program that stands for one.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's path as a person would type it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A shared source.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into() })
    }
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text that holds it.
    pub source: Arc<Source>,
    /// Bytes from and to (exclusive).
    pub span: Range<usize>,
}

impl Place {
    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        let end = self.span.start.min(self.source.text.len());
        self.source.text.as_bytes()[..end].iter().filter(|b| **b == b'\n').count() + 1
    }

    /// An error at this place.
    pub fn error(&self, title: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic { title: title.into(), place: Some(self.clone()), label: String::new(), help: None })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source.path, self.line())
    }
}

/// What was wrong with the input, where, and what to do about it.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    title: String,
    place: Option<Place>,
    label: String,
    help: Option<String>,
}

/// The result of reading what a person wrote.
pub type Result<T> = std::result::Result<T, Box<Diagnostic>>;

impl Diagnostic {
    /// An error that no line of a file can be blamed for.
    pub fn new(title: impl Into<String>) -> Box<Self> {
        Box::new(Self { title: title.into(), place: None, label: String::new(), help: None })
    }

    /// Adds the words that stand beside the caret.
    #[must_use]
    pub fn label(mut self: Box<Self>, label: impl Into<String>) -> Box<Self> {
        self.label = label.into();
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }

    /// Adds what to do about it, if there is something to say.
    #[must_use]
    pub fn help_if(mut self: Box<Self>, help: Option<String>) -> Box<Self> {
        self.help = help.or(self.help);
        self
    }

    /// The sentence without the picture.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where, as `file:line`, if a line can be blamed for it.
    pub fn place(&self) -> Option<String> {
        self.place.as_ref().map(Place::to_string)
    }

    /// Whether another message is about the same place.
    pub fn is_at_place_of(&self, other: &Self) -> bool {
        self.place == other.place
    }

    /// What to do about it, if there is something to say.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The whole message, with file, line and caret; in colour if asked.
    pub fn render(&self, color: bool) -> String {
        self.render_as(Level::ERROR, color)
    }

    /// The same as something that may be known, and stops nothing.
    pub fn render_note(&self, color: bool) -> String {
        self.render_as(Level::NOTE, color)
    }

    fn render_as(&self, level: Level<'_>, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut group = level.primary_title(self.title.as_str()).elements(self.place.iter().map(|place| {
            let span = first_line(&place.source.text, &place.span);
            Snippet::source(place.source.text.as_str())
                .path(place.source.path.as_str())
                .annotation(AnnotationKind::Primary.span(span).label(self.label.as_str()))
        }));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// Cuts a span to the first of its lines, so that a caret does not underline half a file.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let length = text[start..end].find('\n').unwrap_or(end - start);
    start..start + length
}

/// The known word nearest to a misspelt one, as a question to put behind an error.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .filter(|(distance, k)| *distance <= (k.len().max(word.len()) / 3).max(1))
        .min()
        .map(|(_, k)| format!("did you mean `{k}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_the_line() {
        let source = Source::new("a.yaml", "one: 1\ntwo: ünd\nthree: 3\n");
        let place = Place { source, span: 12..17 };
        let text = place.error("no good").label("here").help("write 2").to_string();
        assert!(text.contains("a.yaml:2:6"), "{text}");
        assert!(text.contains("help: write 2"), "{text}");
        assert!(text.contains("here"), "{text}");
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(did_you_mean("expct", ["expect", "given"]).as_deref(), Some("did you mean `expect`?"));
        assert_eq!(did_you_mean("zebra", ["expect", "given"]), None);
    }
}
