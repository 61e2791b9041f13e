//! How a list goes on: the pages of an answer.

use serde_json::Value as Json;
use url::Url;

use crate::document::operation::Operation;
use crate::document::parameter::{PAGES, Parameter, ParameterLocation, plain};
use crate::exchange::Response;

/// Parameters that say how many items are left out, in lower case and without what joins words.
const OFFSETS: [&str; 4] = ["offset", "skip", "start", "startindex"];
/// Those that take what an answer names as the way on, and the members that name it.
const CURSORS: [&str; 10] = [
    "cursor",
    "nextcursor",
    "pagetoken",
    "nextpagetoken",
    "nexttoken",
    "continuationtoken",
    "continue",
    "marker",
    "nextmarker",
    "next",
];
/// Members that lead to the next page.
const WAYS_ON: [&str; 6] = ["next", "nextlink", "odatanextlink", "nextpageurl", "nexturl", "nextpage"];
/// Those that take the id of the last item.
const AFTER: [&str; 3] = ["startingafter", "after", "afterid"];
/// Members that say whether there is more.
const MORE: [&str; 4] = ["hasmore", "hasnext", "hasnextpage", "istruncated"];
/// Members that say how many items there are.
const TOTALS: [&str; 6] = ["total", "totalcount", "totalitems", "totalelements", "totalresults", "totalrecords"];
/// Fewer items than every sensible limit.
const FEW: u64 = 10;
/// The largest limit that is asked for.
const LARGEST: u64 = 200;

/// What follows a page of a list.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// A page that these parameters of the query ask for.
    Page(Vec<(String, Json)>),
    /// Nothing: all was read.
    End,
    /// There may be more, and it is not clear how to ask for it.
    Unclear,
}

/// What was read of a list.
#[derive(Debug, Default)]
pub struct Read {
    /// How many pages.
    pub pages: u64,
    /// How many items, each counted once.
    pub items: u64,
    /// How many items the last page had that no page before had.
    pub new: u64,
    /// The id of the last item.
    pub last: Option<Json>,
}

/// A query parameter that is called in one of these ways.
fn parameter<'a>(operation: &'a Operation, names: &[&str]) -> Option<&'a Parameter> {
    operation.parameters_in(ParameterLocation::Query).find(|p| names.contains(&plain(&p.name).as_str()))
}

fn limit(operation: &Operation) -> Option<&Parameter> {
    operation.parameters_in(ParameterLocation::Query).find(|p| p.is_limit(&operation.parameters))
}

/// The parameters with which to ask for the first page: as many items as may be, where that is known.
pub fn first(operation: &Operation) -> Vec<(String, Json)> {
    let limit = limit(operation).and_then(|p| Some((p, p.schema.json()["maximum"].as_u64()?)));
    limit.map(|(p, most)| (p.name.clone(), most.min(LARGEST).into())).into_iter().collect()
}

/// Whether a list can be asked for without saying which part is meant: no parameter but those of pages is required, and
/// none leaves something out by default.
pub fn is_whole(operation: &Operation) -> bool {
    let is_of_pages = |p: &Parameter| {
        let name = plain(&p.name);
        let known = [&PAGES[..], &OFFSETS, &CURSORS, &AFTER];
        p.is_limit(&operation.parameters)
            || known.iter().any(|names| names.contains(&name.as_str()))
            || ["sort", "order", "direction", "fields", "include", "expand", "embed"].iter().any(|w| name.contains(w))
    };
    let leaves_out = |p: &Parameter| p.required || p.schema.json().get("default").is_some_and(|d| !d.is_null());
    !operation.parameters_in(ParameterLocation::Query).any(|p| !is_of_pages(p) && leaves_out(p))
}

/// What follows the last page that was read.
pub fn next(operation: &Operation, response: &Response, read: &Read) -> Next {
    let body = response.json().unwrap_or_default();
    if let Some(link) = link(response) {
        return url(&link);
    }
    let members = members(&body);
    let member = |names: &[&str]| -> Vec<&Json> {
        members.iter().filter(|(name, _)| names.contains(&plain(name).as_str())).map(|(_, value)| *value).collect()
    };
    let ways_on = [member(&WAYS_ON), member(&CURSORS)].concat();
    let text = |value: &&Json| value.as_str().or_else(|| value["href"].as_str()).map(str::to_owned);
    if let Some(link) = ways_on.iter().filter_map(text).find(|text| text.contains('?')) {
        return url(&link);
    }
    let cursor = [ways_on.clone(), member(&AFTER)].concat().into_iter().find(|value| is_cursor(value));
    if let (Some(parameter), Some(cursor)) = (parameter(operation, &CURSORS), cursor) {
        return Next::Page(vec![(parameter.name.clone(), cursor.clone())]);
    }
    if !ways_on.is_empty() && cursor.is_none() {
        return Next::End;
    }
    let has_more = member(&MORE).into_iter().find_map(Json::as_bool);
    if has_more == Some(false) {
        return Next::End;
    }
    if has_more == Some(true)
        && let (Some(parameter), Some(last)) = (parameter(operation, &AFTER), &read.last)
    {
        return Next::Page(vec![(parameter.name.clone(), last.clone())]);
    }
    let total = member(&TOTALS).into_iter().find_map(Json::as_u64);
    if has_more.is_none() && total.is_some_and(|total| total <= read.items) {
        return Next::End;
    }
    let is_empty = read.new == 0 && read.pages > 2;
    if let Some(parameter) = parameter(operation, &PAGES) {
        // The first page may have the number 0 or 1: the one that was read without a number may come again.
        return if is_empty { Next::End } else { Next::Page(vec![(parameter.name.clone(), read.pages.into())]) };
    }
    if let Some(parameter) = parameter(operation, &OFFSETS) {
        let is_empty = read.new == 0 && read.pages > 1;
        return if is_empty { Next::End } else { Next::Page(vec![(parameter.name.clone(), read.items.into())]) };
    }
    if has_more == Some(true) || !ways_on.is_empty() || total.is_some() {
        return Next::Unclear;
    }
    // A page may be full because there are more.
    let limit = limit(operation).map(|p| {
        let asked = first(operation).first().and_then(|(_, most)| most.as_u64());
        asked.or_else(|| p.schema.json()["default"].as_u64())
    });
    let may_go_on = parameter(operation, &CURSORS).is_some() && member(&CURSORS).is_empty();
    match limit {
        // A server may have a limit of its own.
        Some(most) if read.items >= most.unwrap_or(FEW).min(FEW) => Next::Unclear,
        _ if may_go_on && read.items >= FEW => Next::Unclear,
        _ => Next::End,
    }
}

/// Whether a page is asked for by its number, or by how many items are before it.
pub fn is_numbered(query: &[(String, Json)]) -> bool {
    let is_number = |name: &str| PAGES.contains(&name) || OFFSETS.contains(&name);
    query.iter().any(|(name, _)| is_number(&plain(name)))
}

fn is_cursor(value: &Json) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.is_empty())
}

/// The members of a body, and of those objects in it that are about pages.
fn members(body: &Json) -> Vec<(&String, &Json)> {
    const ABOUT: [&str; 8] = ["links", "_links", "meta", "metadata", "paging", "pagination", "page", "pageinfo"];
    let own = || body.as_object().into_iter().flatten();
    let inner = own().filter(|(name, _)| ABOUT.contains(&name.to_lowercase().as_str())).map(|(_, value)| value);
    let inner: Vec<&Json> = inner.collect();
    let deeper = inner.iter().filter_map(|value| value.as_object()).flatten();
    let deepest = deeper.clone().filter(|(name, _)| ABOUT.contains(&name.to_lowercase().as_str()));
    let deepest = deepest.filter_map(|(_, value)| value.as_object()).flatten();
    own().chain(deeper).chain(deepest).collect()
}

/// Where the header `Link` leads to with `rel="next"`.
fn link(response: &Response) -> Option<String> {
    let all = response.headers.iter().filter(|(name, _)| name == "link");
    let mut parts = all.flat_map(|(_, value)| value.split(",<").flat_map(|part| part.split(", <")));
    let is_next = |part: &&str| {
        part.split(';').skip(1).any(|p| matches!(p.trim().to_lowercase().as_str(), "rel=\"next\"" | "rel=next"))
    };
    let part = parts.find(is_next)?;
    Some(part.trim().trim_start_matches('<').split('>').next()?.to_owned())
}

/// The page that an address asks for.
fn url(link: &str) -> Next {
    let base = Url::parse("http://list/").ok();
    let Some(url) = base.and_then(|base| base.join(link).ok()) else { return Next::Unclear };
    let query: Vec<_> = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    if query.is_empty() { Next::Unclear } else { Next::Page(query) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(headers: &[(&str, &str)], body: &Json) -> Response {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Response::new(200, headers, body.to_string().into())
    }

    #[test]
    fn links_lead_on() {
        let header =
            answer(&[("link", "<http://a/x?page=1>; rel=\"prev\", <http://a/x?page=3&q=a>; rel=\"next\"")], &json!([]));
        assert_eq!(link(&header).as_deref(), Some("http://a/x?page=3&q=a"));
        assert_eq!(link(&answer(&[("link", "<http://a/x?page=1>; rel=\"last\"")], &json!([]))), None);
        assert_eq!(url("/x?page=3"), Next::Page(vec![("page".to_owned(), "3".into())]));
        assert_eq!(url("/x"), Next::Unclear);
    }

    #[test]
    fn members_about_pages_are_found() {
        let body = json!({"data": [{"next": "no"}], "meta": {"pagination": {"next_cursor": "c"}}, "_links": {"next": {"href": "?p=2"}}});
        let names: Vec<&str> = members(&body).iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"next_cursor") && names.contains(&"next"), "{names:?}");
        assert_eq!(names.iter().filter(|name| **name == "next").count(), 1, "items are not about pages");
    }
}
