//! A market that takes orders, written down on its own: nothing of `probity` is used here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use serde_json::{Map, Value, json};

/// A market under its own address, for as long as the process lives.
pub fn open(deviations: &[&'static str]) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a listener for tokio");
    let deviations = deviations.to_vec();
    std::thread::spawn(move || {
        let market = Market { deviations, orders: Mutex::default(), revisions: Mutex::default() };
        let app = Router::new().route("/api/shops/{shop}/orders/{order}", put(replace)).with_state(Arc::new(market));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, app).await.expect("a server");
        });
    });
    format!("http://{address}/api")
}

pub const KEY: &str = "k3y-of-the-clerk";
pub const DEPUTY_KEY: &str = "k3y-of-the-deputy";

struct Market {
    deviations: Vec<&'static str>,
    orders: Mutex<BTreeSet<(String, String)>>,
    revisions: Mutex<u64>,
}

async fn replace(
    State(market): State<Arc<Market>>,
    Path((shop, order)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    let mut dry_run = query.split('&').filter_map(|pair| pair.strip_prefix("dry_run="));
    if dry_run.any(|text| !["true", "false"].contains(&text)) {
        return market.refusal(StatusCode::UNPROCESSABLE_ENTITY, &["/dry_run".into()]);
    }
    if !order.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return market.refusal(StatusCode::UNPROCESSABLE_ENTITY, &["/order_no".into()]);
    }
    market.replace(&shop, &order, &headers, &body)
}

impl Market {
    fn deviates(&self, name: &str) -> bool {
        self.deviations.contains(&name)
    }

    fn refusal(&self, status: StatusCode, problems: &[String]) -> Response {
        if status == StatusCode::NOT_FOUND && self.deviates("404 in plain text") {
            return (status, "not here").into_response();
        }
        let problems: Vec<Value> = problems.iter().map(|at| json!({ "at": at })).collect();
        let mut body = json!({"title": "refused", "status": status.as_u16(), "problems": problems});
        if self.deviates("refusals without their title") {
            body.as_object_mut().expect("an object").remove("title");
        }
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, media_type, body.to_string()).into_response()
    }

    fn replace(&self, shop: &str, order: &str, headers: &HeaderMap, body: &[u8]) -> Response {
        let key = headers.get("x-shop-key").and_then(|k| k.to_str().ok()).unwrap_or_default();
        let known = [KEY, DEPUTY_KEY]
            .into_iter()
            .any(|k| key == k || self.deviates("longer keys are taken") && key.starts_with(k));
        if !known {
            return self.refusal(StatusCode::UNAUTHORIZED, &["/key".into()]);
        }
        if !["north", "south"].contains(&shop) {
            return self.refusal(StatusCode::NOT_FOUND, &["/shop".into()]);
        }
        let channel = headers.get("x-channel").and_then(|c| c.to_str().ok()).unwrap_or_default();
        if !["web", "till"].contains(&channel) && !self.deviates("any channel") {
            return self.refusal(StatusCode::UNPROCESSABLE_ENTITY, &["/channel".into()]);
        }
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return self.refusal(StatusCode::UNPROCESSABLE_ENTITY, &[String::new()]);
        };
        let mut check = Check { market: self, problems: Vec::new() };
        check.order(&body);
        if !check.problems.is_empty() {
            return self.refusal(StatusCode::UNPROCESSABLE_ENTITY, &check.problems);
        }
        let was_there = !self.orders.lock().expect("a lock").insert((shop.to_owned(), order.to_owned()));
        let replaced = was_there && !(self.deviates("replaced is created") && order.starts_with("none"));
        let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
        (status, [(header::CONTENT_TYPE, "application/json")], self.stored(shop, order, &body).to_string())
            .into_response()
    }

    fn stored(&self, shop: &str, order: &str, body: &Value) -> Value {
        let mut stored: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        let mut sum = 0.0;
        for line in stored["lines"].as_array_mut().expect("lines") {
            let listed = line["sku"].as_str().and_then(|s| s[4..].parse::<f64>().ok()).unwrap_or(1.0) + 0.5;
            let price = line.get("unit_price").and_then(Value::as_f64).unwrap_or(listed);
            line["unit_price"] = json!(price);
            sum += price * line["quantity"].as_f64().unwrap_or_default();
        }
        let discount = stored.get("discount").and_then(Value::as_f64).unwrap_or_default();
        let discount = if self.deviates("no discount") { 0.0 } else { discount };
        stored.insert("total".into(), json!(sum * (1.0 - discount)));
        let express = stored.get("express") == Some(&json!(true)) && !self.deviates("express is not first");
        stored.entry("priority").or_insert(json!(if express { 1 } else { 3 }));
        let payer = if self.deviates("invoices to the shop") {
            json!("shop@example.com")
        } else {
            stored["customer"]["email"].clone()
        };
        stored.entry("invoice_email").or_insert(payer);
        if let Some(mut billing) = stored.get("billing").cloned() {
            if self.deviates("ships within the country") {
                billing["country"] = json!("QQ");
            }
            stored.entry("shipping").or_insert(billing);
        }
        let mut revision = self.revisions.lock().expect("a lock");
        *revision += u64::from(!self.deviates("one revision for all"));
        stored.insert("revision".into(), json!(format!("00000000-0000-4000-8000-{:012x}", *revision)));
        stored.insert("shop_id".into(), json!(shop));
        let order = if self.deviates("the shop for the order") { shop } else { order };
        stored.insert("order_no".into(), json!(order));
        if self.deviates("lines in reverse") {
            stored["lines"].as_array_mut().expect("lines").reverse();
        }
        stored.into()
    }
}

/// What is wrong with an order.
struct Check<'a> {
    market: &'a Market,
    problems: Vec<String>,
}

impl Check<'_> {
    fn must(&mut self, at: &str, holds: bool) {
        if !holds {
            self.problems.push(at.to_owned());
        }
    }

    /// Whether a deviation stands in the way of looking.
    fn lax(&self, deviation: &str) -> bool {
        self.market.deviates(deviation)
    }

    fn object<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        required: &[&str],
        optional: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(map) = value.as_object() else {
            self.problems.push(at.to_owned());
            return None;
        };
        for name in required {
            self.must(&format!("{at}/{name}"), map.contains_key(*name));
        }
        for name in map.keys() {
            self.must(&format!("{at}/{name}"), required.contains(&name.as_str()) || optional.contains(&name.as_str()));
        }
        Some(map)
    }

    fn text(&mut self, at: &str, value: &Value, holds: impl Fn(&str) -> bool) {
        self.must(at, value.as_str().is_some_and(holds));
    }

    fn whole(&mut self, at: &str, value: &Value, holds: impl Fn(i64) -> bool) {
        let number = value.as_i64().or_else(|| {
            let number = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15)?;
            Some(number as i64)
        });
        self.must(at, number.is_some_and(holds));
    }

    fn order(&mut self, order: &Value) {
        let required = ["currency", "customer", "lines"];
        let optional = [
            "billing",
            "shipping",
            "tags",
            "pack_size",
            "serial",
            "discount",
            "express",
            "priority",
            "invoice_email",
            "reference",
            "deliver_on",
            "placed_at",
        ];
        let Some(order) = self.object("", order, &required, &optional) else { return };
        for (name, value) in order {
            let at = format!("/{name}");
            match name.as_str() {
                "currency" => self.text(&at, value, |c| ["EUR", "CHF", "SEK"].contains(&c)),
                "customer" => self.customer(value),
                "billing" | "shipping" => self.address(&at, name, value),
                "lines" => self.lines(value),
                "tags" => self.tags(value),
                "pack_size" => {
                    let any = self.lax("packs of any size");
                    self.whole(&at, value, |n| (6..=600).contains(&n) && (any || n % 6 == 0));
                }
                "serial" if self.lax("serials as doubles") => {
                    self.must(&at, value.as_f64().is_some_and(|n| n.fract() == 0.0))
                }
                "serial" => self.whole(&at, value, |_| true),
                "discount" => {
                    let all = self.lax("all for nothing");
                    self.must(&at, value.as_f64().is_some_and(|d| (0.0..1.0).contains(&d) || all && d == 1.0));
                }
                "express" => self.must(&at, value.is_boolean()),
                "priority" => self.whole(&at, value, |n| (1..=3).contains(&n)),
                "invoice_email" => self.text(&at, value, is_email),
                "reference" => self.text(&at, value, is_uuid),
                "deliver_on" => self.delivery(value),
                "placed_at" if value.is_null() => {}
                "placed_at" => self.text(&at, value, |t| {
                    chrono::DateTime::parse_from_rfc3339(t).is_ok_and(|t| t < chrono::Utc::now())
                }),
                _ => {}
            }
        }
        let frozen = order.get("tags").and_then(Value::as_array).is_some_and(|t| t.contains(&json!("frozen")));
        let express = order.get("express") == Some(&json!(true));
        self.must("/express", !(frozen && express) || self.lax("frozen goods by express"));
        self.must("/billing", order.contains_key("billing") || order.contains_key("shipping"));
    }

    fn customer(&mut self, value: &Value) {
        let Some(customer) = self.object("/customer", value, &["email", "full_name"], &["vat_id"]) else { return };
        for (name, value) in customer {
            let at = format!("/customer/{name}");
            match name.as_str() {
                "email" => self.text(&at, value, is_email),
                "full_name" => {
                    let bytes = self.lax("names counted in bytes");
                    self.text(&at, value, |n| (2..=40).contains(&if bytes { n.len() } else { n.chars().count() }));
                }
                _ if value.is_null() => self.must(&at, !self.lax("no null for a number")),
                _ => {
                    let most = if self.lax("long numbers") { 40 } else { 12 };
                    self.text(&at, value, |v| {
                        let (country, number) = v.split_at_checked(2).unwrap_or_default();
                        v.len() <= most
                            && is_country(country)
                            && !number.is_empty()
                            && number.bytes().all(|b| b.is_ascii_digit())
                    });
                }
            }
        }
    }

    fn address(&mut self, at: &str, which: &str, value: &Value) {
        let all = ["street", "postcode", "country"];
        let required = if which == "shipping" && self.lax("shipped to no country") { &all[..2] } else { &all[..] };
        let Some(address) = self.object(at, value, required, &all) else { return };
        for (name, value) in address {
            let at = format!("{at}/{name}");
            match name.as_str() {
                "street" => self.text(&at, value, |s| (1..=60).contains(&s.chars().count())),
                "postcode" if which == "billing" && self.lax("any postcode to bill") => self.text(&at, value, |_| true),
                "postcode" if which == "shipping" && self.lax("postcodes are searched") => {
                    self.text(&at, value, |p| {
                        p.split(|c: char| !c.is_ascii_digit()).any(|d| (4..=6).contains(&d.len()))
                    });
                }
                "postcode" => {
                    self.text(&at, value, |p| (4..=6).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
                }
                _ => self.text(&at, value, is_country),
            }
        }
    }

    fn lines(&mut self, value: &Value) {
        let Some(lines) = value.as_array() else { return self.problems.push("/lines".into()) };
        self.must("/lines", !lines.is_empty() && (lines.len() <= 6 || self.lax("any number of lines")));
        let mut articles = BTreeSet::new();
        for (i, line) in lines.iter().enumerate() {
            let at = format!("/lines/{i}");
            let known = ["unit_price", "gift", "note"];
            let given: Vec<&str> = line.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
            let optional = if self.lax("lines of any kind") { &given[..] } else { &known[..] };
            let Some(line) = self.object(&at, line, &["sku", "quantity"], optional) else { continue };
            for (name, value) in line {
                let at = format!("{at}/{name}");
                match name.as_str() {
                    "sku" => self.text(&at, value, |s| {
                        s.strip_prefix("SKU-").is_some_and(|n| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()))
                    }),
                    "quantity" => {
                        let most = if self.lax("a hundred of each") { 100 } else { 99 };
                        self.whole(&at, value, |q| (1..=most).contains(&q));
                    }
                    "unit_price" => {
                        let free = self.lax("prices of nothing");
                        self.must(
                            &at,
                            value.as_f64().is_some_and(|p| {
                                (p > 0.0 || free && p == 0.0) && p <= 5000.0 && (p * 4.0).fract() == 0.0
                            }),
                        );
                    }
                    "gift" => self.must(&at, value.is_boolean()),
                    "note" => {
                        self.must(&at, value.is_null() || value.as_str().is_some_and(|n| n.chars().count() <= 20))
                    }
                    _ => {}
                }
            }
            self.must(&at, articles.insert(line.get("sku").map(Value::to_string)));
        }
    }

    fn tags(&mut self, value: &Value) {
        let known = ["fragile", "fresh", "frozen", "heavy", "letter"];
        let Some(tags) = value.as_array() else { return self.problems.push("/tags".into()) };
        let different: BTreeSet<String> = tags.iter().map(Value::to_string).collect();
        self.must("/tags", different.len() == tags.len() || self.lax("tags twice"));
        self.must("/tags", tags.len() <= 3);
        for tag in tags {
            self.text("/tags", tag, |t| known.contains(&t));
        }
    }

    fn delivery(&mut self, value: &Value) {
        if self.lax("any day of a month") && value.as_str().is_some_and(|d| d.len() == 10 && d.ends_with("-30")) {
            return;
        }
        let late = self.lax("delivered yesterday");
        self.text("/deliver_on", value, |d| {
            let day = chrono::NaiveDate::parse_from_str(d, "%Y-%m-%d").ok().filter(|_| d.len() == 10);
            day.is_some_and(|day| late || day > chrono::Utc::now().date_naive())
        });
    }
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(i, c)| if [8, 13, 18, 23].contains(&i) { c == '-' } else { c.is_ascii_hexdigit() })
}
