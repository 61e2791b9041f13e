//! A small shop in memory, as people write them with a framework that validates by the document. Each [`Bug`] is one that
//! such a shop could have.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::server::{Answer, Request, Server};

pub const DOCUMENT: &str = include_str!("../../documents/shop.yaml");
pub const TOKEN: &str = "shop-token-of-some-length";

/// What is wrong with a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// What is created is answered, and not stored.
    NotStored,
    /// A deletion answers as if it had been done.
    DeletesNothing,
    /// The filter of a list has no effect.
    FilterIgnored,
    /// A list has one item more than was asked for.
    OneTooMany,
    /// A price that was read is in cents.
    PriceInCents,
    /// A status that was sent is replaced by the default.
    DefaultWins,
    /// An empty note ends in a server error.
    EmptyNote,
    /// An update answers the new note and keeps the old one.
    UpdateForgets,
    /// A customer is created out of nothing.
    NoBodyNeeded,
    /// An update changes nothing, and answers what there is.
    UpdateIgnored,
    /// The list of a customer's orders has those of others too.
    OrdersOfOthers,
    /// A creation is answered with 200.
    WrongStatus,
    /// Anybody may read.
    TokenNotChecked,
    /// A customer whom nobody knows is answered as if there were one.
    AnyIdWillDo,
    /// What is deleted already ends in a server error.
    DeletedTwice,
}

/// Where shops differ without being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What was written is read only after half a second.
    SlowToShow,
    /// An order is paid as soon as it is there.
    StatesGoOn,
    /// A deleted customer is still shown, and said to be deleted.
    SoftDelete,
    /// Two customers cannot have one name.
    UniqueNames,
    /// There are rules that the document does not state.
    HiddenRules,
    /// An unknown id is a wrong request.
    UnknownIsWrong,
    /// Whoever deletes twice is told that it is done.
    DeletesAgain,
    /// A list shows less than was asked for.
    ShortPages,
    /// An order can be cancelled only in the first place.
    OneShot,
}

impl Way {
    pub const ALL: [Self; 9] = [
        Self::SlowToShow,
        Self::StatesGoOn,
        Self::SoftDelete,
        Self::UniqueNames,
        Self::HiddenRules,
        Self::UnknownIsWrong,
        Self::DeletesAgain,
        Self::ShortPages,
        Self::OneShot,
    ];
}

#[derive(Debug, Default)]
struct Store {
    /// When each record was written last.
    written: HashMap<String, Instant>,
    customers: BTreeMap<String, Value>,
    orders: BTreeMap<i64, Value>,
    made: i64,
}

static SCHEMAS: LazyLock<HashMap<&'static str, Validator>> = LazyLock::new(|| {
    let document: Value = serde_saphyr::from_str(DOCUMENT).expect("a document");
    let schemas = &document["components"]["schemas"];
    let inline = |path: &str, method: &str| {
        document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"].clone()
    };
    let all = [
        ("NewCustomer", schemas["NewCustomer"].clone()),
        ("NewOrder", schemas["NewOrder"].clone()),
        ("customer", inline("/customers/{customer_id}", "patch")),
        ("cancel", inline("/orders/{order_id}/cancel", "post")),
        ("account", inline("/account", "put")),
    ];
    let validator =
        |schema: &Value| jsonschema::options().should_validate_formats(true).build(schema).expect("a schema");
    all.iter().map(|(name, schema)| (*name, validator(schema))).collect()
});

fn wrong() -> Answer {
    Answer::json(422, r#"{"detail":"wrong"}"#)
}

fn none() -> Answer {
    Answer::json(404, r#"{"detail":"none"}"#)
}

fn whole(status: u16, value: &Value) -> Answer {
    Answer::json(status, &value.to_string())
}

/// The body, if it is JSON that keeps the schema.
fn body(request: &Request, schema: &str) -> Option<Map<String, Value>> {
    let json: Value = serde_json::from_slice(&request.body).ok()?;
    SCHEMAS[schema].is_valid(&json).then(|| json.as_object().cloned()).flatten()
}

/// The numbers of a query, if they keep their limits.
fn limits(query: &HashMap<String, String>) -> Option<(usize, usize)> {
    let number = |name: &str, least: usize, most: usize, default: usize| match query.get(name) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|n| (least..=most).contains(n)),
    };
    Some((number("limit", 1, 100, 20)?, number("page", 1, usize::MAX, 1)?))
}

/// A shop with some bugs.
pub fn shop(bugs: &[Bug]) -> Server {
    shop_in_ways(bugs, &[])
}

/// A shop with some bugs, and some ways of its own.
pub fn shop_in_ways(bugs: &[Bug], ways: &[Way]) -> Server {
    let (bugs, ways) = (bugs.to_vec(), ways.to_vec());
    let store = Arc::new(Mutex::new(Store::default()));
    Server::http(move |request| {
        let mut store = store.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let has_way = |way| ways.contains(&way);
        let own = in_own_way(&mut store, request, &has_way);
        own.unwrap_or_else(|| {
            let answer = answer(&mut store, request, &|bug| bugs.contains(&bug));
            note(&mut store, request, &answer);
            afterwards(&mut store, request, answer, &has_way)
        })
    })
}

/// Remembers when a record was written.
fn note(store: &mut Store, request: &Request, answer: &Answer) {
    let Answer::Whole(200..=201, _, body) = answer else { return };
    let id = serde_json::from_slice::<Value>(body).ok().and_then(|body| body.get("id").map(Value::to_string));
    if let Some(id) = id.filter(|_| request.method == "POST") {
        store.written.insert(id.trim_matches('"').to_owned(), Instant::now());
    }
}

/// What a shop answers in its own way before anything else.
fn in_own_way(store: &mut Store, request: &Request, has: &dyn Fn(Way) -> bool) -> Option<Answer> {
    let id = request.target.rsplit('/').next().unwrap_or_default();
    let is_young = store.written.get(id).is_some_and(|at| at.elapsed() < Duration::from_millis(500));
    if has(Way::SlowToShow) && request.method == "GET" && is_young {
        return Some(none());
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let is_new = request.method == "POST" && request.target == "/customers";
    if has(Way::UniqueNames) && is_new && store.customers.values().any(|c| c["name"] == body["name"]) {
        return Some(Answer::json(409, r#"{"detail":"there is one of that name"}"#));
    }
    if has(Way::HiddenRules) && is_new && body.get("note").is_some() && body.get("email").is_some() {
        return Some(wrong());
    }
    let exists = || store.customers.contains_key(id) || id.parse().is_ok_and(|id: i64| store.orders.contains_key(&id));
    let is_deleted = request.method == "DELETE" && !exists();
    if has(Way::DeletesAgain) && is_deleted && request.header("authorization").is_some() {
        return Some(Answer::empty(204));
    }
    None
}

/// What a shop makes of its own answers.
fn afterwards(store: &mut Store, request: &Request, answer: Answer, has: &dyn Fn(Way) -> bool) -> Answer {
    let Answer::Whole(status, _, body) = &answer else { return answer };
    let json = || serde_json::from_slice::<Value>(body).unwrap_or_default();
    match (request.method.as_str(), *status) {
        ("POST", 201) if has(Way::StatesGoOn) && request.target == "/orders" => {
            let id = json()["id"].as_i64().unwrap_or_default();
            if let Some(order) = store.orders.get_mut(&id) {
                order["status"] = json!("paid");
            }
        }
        ("DELETE", 204) if has(Way::SoftDelete) && request.target.starts_with("/customers/") => {
            let id = request.target.rsplit('/').next().unwrap_or_default().to_owned();
            store.customers.insert(id.clone(), json!({ "id": id, "name": "(deleted)", "email": null, "note": null }));
        }
        (_, 404) if has(Way::UnknownIsWrong) => return Answer::json(400, r#"{"detail":"wrong"}"#),
        ("GET", 200) if has(Way::ShortPages) && request.target.starts_with("/orders?") => {
            let few = json().as_array().map(|items| items.iter().take(1).cloned().collect::<Vec<_>>());
            return few.map_or(answer, |few| whole(200, &few.into()));
        }
        ("POST", 200) if has(Way::OneShot) && request.target.ends_with("/cancel") => {
            store.orders.clear();
        }
        _ => {}
    }
    answer
}

fn answer(store: &mut Store, request: &Request, has: &dyn Fn(Bug) -> bool) -> Answer {
    let url = url::Url::parse(&format!("http://shop{}", request.target)).expect("a URL");
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let segments: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .map(|s| percent_encoding::percent_decode_str(s).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = request.method.as_str();
    match (method, &segments[..]) {
        ("GET", ["openapi.yaml"]) => return Answer::Whole(200, Vec::new(), DOCUMENT.into()),
        ("GET", ["health"]) => return Answer::json(200, r#"{"status":"ok"}"#),
        _ => {}
    }
    let known = request.header("authorization") == Some(&format!("Bearer {TOKEN}"));
    let may_read = has(Bug::TokenNotChecked) && method == "GET";
    if !(known || may_read) {
        return Answer::json(401, r#"{"detail":"who are you?"}"#);
    }
    let created = if has(Bug::WrongStatus) { 200 } else { 201 };
    match (method, &segments[..]) {
        ("GET", ["customers"]) => {
            let Some((limit, page)) = limits(&query) else { return wrong() };
            let limit = if has(Bug::OneTooMany) { limit + 1 } else { limit };
            let items: Vec<&Value> =
                store.customers.values().skip((page - 1).saturating_mul(limit)).take(limit).collect();
            whole(200, &json!({ "items": items, "total": store.customers.len() }))
        }
        ("POST", ["customers"]) => {
            let of_nothing = has(Bug::NoBodyNeeded) && request.body.is_empty();
            let named = || Some(Map::from_iter([("name".to_owned(), json!("nobody"))])).filter(|_| of_nothing);
            let Some(body) = body(request, "NewCustomer").or_else(named) else { return wrong() };
            if has(Bug::EmptyNote) && body.get("note") == Some(&json!("")) {
                return Answer::json(500, r#"{"detail":"oops"}"#);
            }
            store.made += 1;
            let id = format!("c_{:04}", store.made);
            let of = |name: &str| body.get(name).cloned().unwrap_or_default();
            let customer = json!({ "id": id, "name": of("name"), "email": of("email"), "note": of("note") });
            if !has(Bug::NotStored) {
                store.customers.insert(id, customer.clone());
            }
            whole(created, &customer)
        }
        ("GET", ["customers", id]) if has(Bug::AnyIdWillDo) && !store.customers.contains_key(*id) => {
            whole(200, &json!({ "id": id, "name": "nobody", "email": null, "note": null }))
        }
        ("DELETE", ["customers", id]) if has(Bug::DeletedTwice) && !store.customers.contains_key(*id) => {
            Answer::json(500, r#"{"detail":"oops"}"#)
        }
        ("GET", ["customers", id]) => store.customers.get(*id).map_or_else(none, |customer| whole(200, customer)),
        ("PATCH", ["customers", id]) => {
            let Some(customer) = store.customers.get_mut(*id) else { return none() };
            let Some(body) = body(request, "customer") else { return wrong() };
            let before = customer.clone();
            if has(Bug::UpdateIgnored) {
                return whole(200, &before);
            }
            for name in ["name", "note"] {
                if let Some(value) = body.get(name) {
                    customer[name] = value.clone();
                }
            }
            let answered = customer.clone();
            if has(Bug::UpdateForgets) {
                customer["note"] = before["note"].clone();
            }
            whole(200, &answered)
        }
        ("DELETE", ["customers", id]) => match store.customers.contains_key(*id) {
            false => none(),
            true => {
                if !has(Bug::DeletesNothing) {
                    store.customers.remove(*id);
                }
                Answer::empty(204)
            }
        },
        ("GET", ["customers", id, "orders"]) if store.customers.contains_key(*id) => {
            let is_theirs = |order: &&Value| order["customer_id"] == **id || has(Bug::OrdersOfOthers);
            whole(200, &store.orders.values().filter(is_theirs).cloned().collect())
        }
        ("GET", ["orders"]) => {
            let Some((limit, _)) = limits(&query) else { return wrong() };
            let status = query.get("status");
            if status.is_some_and(|status| !["open", "paid", "cancelled"].contains(&status.as_str())) {
                return wrong();
            }
            let fits =
                |order: &&Value| has(Bug::FilterIgnored) || status.is_none_or(|status| order["status"] == **status);
            whole(200, &store.orders.values().rev().filter(fits).take(limit).cloned().collect())
        }
        ("POST", ["orders"]) => {
            let Some(body) = body(request, "NewOrder").filter(|body| knows(store, body)) else { return wrong() };
            store.made += 1;
            let id = store.made;
            let order = order(id, &body, has);
            store.orders.insert(id, order.clone());
            whole(created, &order)
        }
        ("GET" | "PUT" | "DELETE", ["orders", id]) | ("POST", ["orders", id, "cancel"]) => {
            let Ok(id) = id.parse::<i64>() else { return wrong() };
            if !store.orders.contains_key(&id) {
                return none();
            }
            of_order(store, request, id, has)
        }
        ("PUT", ["account"]) => match body(request, "account") {
            Some(_) => Answer::empty(204),
            None => wrong(),
        },
        _ => none(),
    }
}

fn knows(store: &Store, order: &Map<String, Value>) -> bool {
    order["customer_id"].as_str().is_some_and(|id| store.customers.contains_key(id))
}

fn order(id: i64, body: &Map<String, Value>, has: &dyn Fn(Bug) -> bool) -> Value {
    let status = body.get("status").filter(|_| !has(Bug::DefaultWins)).cloned().unwrap_or(json!("open"));
    json!({
        "id": id, "customer_id": body["customer_id"], "price": body["price"], "status": status,
        "note": body.get("note").cloned().unwrap_or_default(),
    })
}

fn of_order(store: &mut Store, request: &Request, id: i64, has: &dyn Fn(Bug) -> bool) -> Answer {
    match request.method.as_str() {
        "GET" => {
            let mut order = store.orders[&id].clone();
            if has(Bug::PriceInCents) {
                order["price"] = json!(order["price"].as_f64().unwrap_or_default() * 100.0);
            }
            whole(200, &order)
        }
        "PUT" => {
            let Some(body) = body(request, "NewOrder").filter(|body| knows(store, body)) else { return wrong() };
            let order = order(id, &body, has);
            store.orders.insert(id, order.clone());
            whole(200, &order)
        }
        "DELETE" => {
            if !has(Bug::DeletesNothing) {
                store.orders.remove(&id);
            }
            Answer::empty(204)
        }
        _ => {
            if !request.body.is_empty() && body(request, "cancel").is_none() {
                return wrong();
            }
            let order = store.orders.get_mut(&id).expect("it is there");
            if order["status"] == "cancelled" {
                return Answer::json(409, r#"{"detail":"it is cancelled already"}"#);
            }
            order["status"] = json!("cancelled");
            whole(200, order)
        }
    }
}
