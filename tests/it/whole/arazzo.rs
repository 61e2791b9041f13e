//! Workflows of Arazzo documents as contracts: `init --arazzo`, then a check of the shop.

use super::app::{self, Bug, TOKEN, Way, shop, shop_in_ways};
use crate::support::schema::{self, Schema};
use crate::support::server::Server;
use crate::support::{Probity, Ran, each, probity};

const WORKFLOWS: &str = include_str!("../../documents/shop.arazzo.yaml");

/// `init --arazzo` with a document of workflows beside that of the shop.
fn init(words: &str, workflows: &str) -> Probity {
    probity(&format!("init --arazzo shop.arazzo.yaml {words}"))
        .file("shop.yaml", app::DOCUMENT)
        .file("shop.arazzo.yaml", workflows)
        .env("PROBITY_TOKEN", TOKEN)
}

/// A check of what `init` wrote.
fn check(made: &Ran, server: &Server, words: &str) -> Probity {
    probity(&format!("check --seed 1 --contract shop-workflows --target {} {words}", server.url()))
        .within(made.folder())
        .env("PROBITY_TOKEN", TOKEN)
}

/// A document with these workflows.
fn document(workflows: &str) -> String {
    format!(
        "arazzo: 1.0.0\ninfo: {{ title: T, version: '1' }}\nsourceDescriptions: [{{ name: shop, url: shop.yaml, type: \
         openapi }}]\nworkflows:\n{workflows}"
    )
}

/// A workflow with one step that has these lines.
fn one_step(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("        {line}\n")).collect();
    document(&format!("  - workflowId: w\n    steps:\n      - stepId: s\n{lines}"))
}

#[test]
fn a_right_shop_carries_the_workflows_out() {
    let server = shop(&[]);
    let made = init(&format!("--target {} --fixture status=paid", server.url()), WORKFLOWS).exits(0);
    assert!(server.requests().is_empty(), "nothing is sent");
    made.says("shop-workflows/buy-something.yaml: 5 of 5 steps of buySomething")
        .says("probity check --contract shop-workflows")
        .never_says("has no value");
    assert_eq!(made.stderr, "", "nothing is left out");
    for (of, file, text) in [
        ("contract", "contract.yaml", made.read("shop-workflows/contract.yaml")),
        ("cases", "buy-something.yaml", made.read("shop-workflows/buy-something.yaml")),
        ("cases", "find-by-status.yaml", made.read("shop-workflows/find-by-status.yaml")),
    ] {
        Schema::of(of).fits(file, &schema::yaml(&text));
    }
    let settings = made.read("probity.toml");
    Schema::of("settings").fits("probity.toml", &schema::toml(&settings));
    made.holds(
        settings.contains("status = \"paid\"") && settings.contains("# customer_name = "),
        "the inputs are there",
    );
    check(&made, &server, "").exits(0);
    for id in ["sign-up", "place-order", "find", "read", "gone"] {
        made.verdict(&format!("buy-something/{id}"), "pass");
    }
    for id in ["find-by-status/list", "find-by-status/health", "createOrder/operation/response-201-shape"] {
        made.verdict(id, "pass");
    }
    assert_eq!(made.ids("fail"), Vec::<String>::new());
    assert_eq!(made.ids("inconclusive"), Vec::<String>::new());
    let observed = made.requirement("buy-something/outputs").to_string();
    made.holds(observed.contains("order"), "the outputs are noted");
    // What was only read is no record.
    let created = made.read("reports/created.ndjson");
    made.holds(created.lines().all(|line| line.contains("\"operation\":\"create")), &created);
    // What was sent is what the workflow says, and nothing besides.
    let sent = server.requests();
    let body = |path: &str, of: &str| {
        let bodies = sent
            .iter()
            .filter(|r| r.method == "POST" && r.target == path)
            .map(|r| serde_json::from_slice::<serde_json::Value>(&r.body).expect("JSON"));
        bodies.into_iter().next().unwrap_or_else(|| panic!("{of}"))
    };
    let customer = serde_json::json!({ "name": "Ann Arbor", "note": "made for Ann Arbor at 12.5" });
    assert_eq!(body("/customers", "a customer"), customer);
    let order = body("/orders", "an order");
    assert_eq!((&order["price"], &order["status"]), (&serde_json::json!(12.5), &serde_json::json!("paid")));
    assert!(order["customer_id"].as_str().is_some_and(|id| id.starts_with("c_")), "{order}");
    assert!(sent.iter().any(|r| r.header("x-trace") == Some("buying")), "a reusable parameter with a value of its own");
    assert!(sent.iter().any(|r| r.target == "/orders?status=paid&limit=5"), "the query");
    check(&made, &server, "--deny should").args("--only buy-something/*").exits(0);
    probity("lint --contract shop-workflows").within(made.folder()).env("PROBITY_TOKEN", TOKEN).exits(0);
}

#[test]
fn a_shop_that_is_broken_at_a_step_fails_there() {
    for (bug, id) in [
        (Bug::WrongStatus, "buy-something/sign-up"),
        (Bug::NotStored, "buy-something/place-order"),
        (Bug::DefaultWins, "buy-something/place-order"),
        (Bug::PriceInCents, "buy-something/read"),
    ] {
        let server = shop(&[bug]);
        let made = init("", WORKFLOWS).exits(0);
        check(&made, &server, "--only buy-something/*").exits(1).says(id);
        assert_eq!(made.ids("fail"), [id], "{bug:?}");
        // What comes after it says nothing.
        let after = made.requirement("buy-something/gone");
        assert!(
            ["skipped", "inconclusive"].contains(&after["verdict"].as_str().expect("a verdict")),
            "{bug:?}: {after}"
        );
        // What is sent again fails again, and holds where it was mended; a recording that was cut short decides nothing.
        if id.ends_with("place-order") && bug == Bug::NotStored {
            continue;
        }
        for (server, code) in [(shop(&[bug]), 1), (shop(&[]), 0)] {
            let again = probity(&format!("replay --contract shop-workflows --target {}", server.url()));
            again.within(made.folder()).env("PROBITY_TOKEN", TOKEN).exits(code);
        }
    }
}

#[test]
fn honest_ways_break_no_workflow() {
    each(&[Way::StatesGoOn, Way::SoftDelete, Way::ShortPages, Way::DeletesAgain], |way| {
        let made = init("", WORKFLOWS).exits(0);
        check(&made, &shop_in_ways(&[], &[*way]), "--only buy-something/*").exits(0);
    });
}

#[test]
fn an_input_without_a_value_is_asked_for_by_its_name() {
    let server = shop(&[]);
    let made = init("", WORKFLOWS).exits(0);
    made.says("status has no value").never_says("parcel");
    made.holds(!made.folder().join("probity.toml").exists(), "no target, no settings");
    check(&made, &server, "--only find-by-status/*").exits(4).says("nothing was tested");
    made.verdict("find-by-status/list", "skipped");
    made.holds(made.requirement("find-by-status/list").to_string().contains("fixtures.status"), "it is named");
    check(&made, &server, "--only find-by-status/* --fixture status=open").exits(0);
    made.verdict("find-by-status/list", "pass");
    // An input with a value takes another, too.
    check(&made, &server, "--only buy-something/* --fixture customer_name=Zoe").exits(0);
    assert!(server.requests().iter().any(|r| String::from_utf8_lossy(&r.body).contains("made for Zoe at 12.5")));
}

#[test]
fn json_is_read_as_well_as_yaml() {
    let yaml: serde_json::Value = serde_saphyr::from_str(WORKFLOWS).expect("YAML");
    let made = probity("init --arazzo shop.arazzo.json")
        .file("shop.yaml", app::DOCUMENT)
        .file("shop.arazzo.json", yaml.to_string())
        .exits(0);
    let other = init("", WORKFLOWS).exits(0);
    let cases = |ran: &Ran| ran.read("shop-workflows/buy-something.yaml").replace(".json", ".yaml");
    assert_eq!(cases(&made), cases(&other), "the same cases, whenever they are made");
}

#[test]
fn what_is_there_is_kept() {
    let made = init("--target http://127.0.0.1:9", WORKFLOWS).exits(0);
    let again = |words: &str| probity(&format!("init --arazzo shop.arazzo.yaml {words}")).within(made.folder());
    again("").exits(2).complains("already exists").complains("--force");
    std::fs::write(made.folder().join("probity.toml"), "[target]\nurl = \"http://127.0.0.1:7\"\n").expect("a file");
    std::fs::remove_dir_all(made.folder().join("shop-workflows")).expect("a folder");
    again("--target http://127.0.0.1:8").exits(0);
    assert!(made.read("probity.toml").contains(":7"), "settings that are there are left as they are");
    again("--target http://127.0.0.1:8 --force").exits(0);
    assert!(made.read("probity.toml").contains(":8"));
}

/// What is written, and what is told, of parts that have no counterpart: line, message, and whether the file has it.
#[test]
fn what_is_not_supported_is_named_and_the_rest_goes_on() {
    let server = shop(&[]);
    for (workflows, why, kept) in [
        (
            one_step("operationId: health\nonFailure: [{ name: again, type: retry, retryAfter: 1 }]"),
            "an action tries the step again if the step `s` fails",
            "  observe: >-\n    s.accepted",
        ),
        (
            one_step("operationId: health\nonFailure: [{ name: away, type: goto, stepId: s }]"),
            "an action goes on elsewhere if the step `s` fails",
            "observe:",
        ),
        (
            one_step(
                "operationId: health\nsuccessCriteria:\n  - { context: $response.body, condition: //a, type: xpath }\n  - \
                 condition: $statusCode == 200",
            ),
            "a criterion of `s` is left out: XPath is not supported",
            "s.answered\n    && s.response.status == 200",
        ),
        (
            one_step(
                "operationId: health\nsuccessCriteria: [{ context: $response.body, condition: $..a, type: jsonpath }]",
            ),
            "`..` has no counterpart",
            "  expect: >-\n    s.answered\n",
        ),
        (
            one_step("operationId: health\nsuccessCriteria: [{ condition: the status is 200 }]"),
            "`the` is neither a runtime expression nor a literal",
            "s.answered",
        ),
        (
            one_step("operationId: health\nsucessCriteria: [{ condition: $statusCode == 200 }]"),
            "`sucessCriteria` means nothing in a step",
            "s.accepted",
        ),
        (
            one_step("operationId: listOrders\nparameters: [{ name: Authorization, in: header, value: Bearer x }]"),
            "the credentials in `Authorization` are not sent",
            "s.accepted",
        ),
        (
            one_step("operationId: health\noutputs: { where: $url }"),
            "the output `where` is left out: `$url` is the whole URL",
            "s.accepted",
        ),
        (
            one_step("operationId: health\nonSuccess: [{ name: over, type: goto, stepId: s }]"),
            "what comes after the step `s` is left out: it goes on elsewhere than at the next step",
            "s.accepted",
        ),
        (
            one_step("operationId: health\nsuccessCriteria: [{ condition: $statusCode == 503 }]"),
            "the step `s` expects a server error: it is noted rather than required",
            "observe:",
        ),
        (
            one_step("operationId: getOrder"),
            "the step `s` is left out: it has no value for `order_id` in the path",
            "[]",
        ),
        (
            document("  - { workflowId: w, dependsOn: [v], steps: [{ stepId: s, operationId: health }] }"),
            "the workflow `w` is left out: it depends on another workflow",
            "[]",
        ),
        (
            document(
                "  - workflowId: w\n    steps:\n      - { stepId: s, operationId: health }\n      - { stepId: t, workflowId: \
                 w }\n      - { stepId: u, operationId: health }",
            ),
            "the step `t` and the steps after it are left out: it runs another workflow",
            "s.accepted",
        ),
        (
            document(
                "  - workflowId: w\n    successActions: [{ name: stop, type: end, criteria: [{ condition: $statusCode == \
                 201 }] }]\n    steps:\n      - { stepId: s, operationId: health }\n      - { stepId: t, operationId: health }",
            ),
            "the steps after `s` are left out: it ends the workflow under conditions",
            "s.accepted",
        ),
        (
            document(
                "  - workflowId: w\n    steps:\n      - { stepId: s, operationId: health, onSuccess: [{ name: e, type: end }] \
                 }\n      - { stepId: t, operationId: health }\n    outputs: { x: $steps.t.outputs.x }",
            ),
            "the workflow ends with the step `s`",
            "the output `x` is left out: the step `t` is left out",
        ),
        (
            document("  - workflowId: w\n    steps: [{ stepId: s, operationId: $sourceDescriptions.more.x }]")
                .replace("type: openapi }]", "type: openapi }, { name: more, url: more.arazzo.yaml, type: arazzo }]"),
            "its operation is in the source `more`",
            "[]",
        ),
    ] {
        let made = init("--document shop.yaml", &workflows).exits(0);
        made.complains(why).complains("--> shop.arazzo.yaml:").complains("^");
        let file = made.read("shop-workflows/w.yaml");
        let words = |text: &str| crate::support::flat(&text.replace("# ", ""));
        made.holds(words(&file).contains(&words(why)), &format!("the file has it: {file}"));
        made.holds(file.contains("(shop.arazzo.yaml:") || words(&file).contains("(shop.arazzo.yaml:"), "with its line");
        made.holds(file.contains(kept) || words(&file).contains(&words(kept)), &format!("the rest is there: {file}"));
        if !file.ends_with("[]\n") {
            // A step that is only noted is no requirement.
            check(&made, &server, "--only w/*").exits(if file.contains("level: must") { 0 } else { 4 });
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_to_do() {
    for (workflows, at, why, help) in [
        ("openapi: 3.1.0\n".to_owned(), 1, "not an Arazzo document", "--document"),
        ("arazzo: 2.0.0\n".to_owned(), 1, "Arazzo 2.0.0 is not supported", "1.0"),
        ("arazzo: 1.0.0\n".to_owned(), 1, "needs `sourceDescriptions`", ""),
        ("arazzo: [1\n".to_owned(), 1, "not valid YAML", ""),
        ("- arazzo\n".to_owned(), 1, "must be a map", ""),
        (document("  []\n"), 5, "the document has no workflows", ""),
        (document("  - steps: []\n"), 5, "a workflow needs `workflowId`", ""),
        (document("  - { workflowId: w, step: [] }\n"), 5, "a workflow needs `steps`", "is `step` meant"),
        (document("  - { workflowId: w, steps: [] }\n"), 5, "has no steps", ""),
        (one_step("operationId: helth"), 8, "no operation `helth`", "did you mean `health`?"),
        (one_step("operationPath: '#/paths/~1helth/get'"), 8, "no operation GET /helth", "did you mean `/health`?"),
        (one_step("operationPath: health"), 8, "does not name an operation", "sourceDescriptions"),
        (one_step("operationId: $sourceDescriptions.shob.health"), 8, "`shob`", "did you mean `shop`?"),
        (one_step("operationId: health\nworkflowId: w"), 9, "`workflowId` is too much", ""),
        (one_step("description: nothing"), 7, "does not say what it does", "operationId"),
        (
            one_step("operationId: health\nsuccessCriteria: [{ condition: $inputs.a == 1 }]"),
            9,
            "no input `a`",
            "describe it under `inputs`",
        ),
        (
            one_step("operationId: health\nsuccessCriteria: [{ condition: $steps.t.outputs.a == 1 }]"),
            9,
            "the workflow has no step `t`",
            "",
        ),
        (
            one_step(
                "operationId: health\noutputs: { ab: $statusCode }\nsuccessCriteria: [{ condition: \
                      $steps.s.outputs.ac == 1 }]",
            ),
            10,
            "has no output `ac`",
            "did you mean `ab`?",
        ),
        (one_step("operationId: health\nsuccessCriteria: [{ type: regex, condition: a }]"), 9, "needs `context`", ""),
        (
            one_step("operationId: health\nsuccessCriteria: [{ type: cel, condition: a }]"),
            9,
            "`cel` is not a type",
            "simple",
        ),
        (
            one_step("operationId: health\nonSuccess: [{ name: a, type: retry }]"),
            9,
            "`retry` is not a type",
            "end, goto",
        ),
        (
            one_step("operationId: health\nparameters: [{ reference: $components.parameters.a }]"),
            9,
            "no parameters of the name `a`",
            "",
        ),
        (one_step("operationId: health\nparameters: [{ name: a, value: 1 }]"), 9, "does not say where", "add `in`"),
        (one_step("operationId: health\nparameters: 3"), 9, "`parameters` must be a list", ""),
        (document("  - { workflowId: w, steps: [3] }\n"), 5, "a step must be a map", ""),
        (
            document("  - { workflowId: w, inputs: { type: words }, steps: [{ stepId: s, operationId: health }] }\n"),
            5,
            "`inputs` is not a JSON Schema",
            "type: object",
        ),
    ] {
        let ran = init("", &workflows).exits(2);
        ran.complains(why).complains(help).complains(&format!("shop.arazzo.yaml:{at}:")).complains("^");
        ran.holds(!ran.folder().join("shop-workflows").exists(), "nothing is written");
    }
    let of = |url: &str| WORKFLOWS.replace("./shop.yaml", url);
    let gone = init("", &of("gone.yaml")).exits(2);
    gone.complains("there is no file gone.yaml").complains("shop.arazzo.yaml:4:").complains("--document");
    init("", &of("http://127.0.0.1:9/shop.yaml")).exits(2).complains("not fetched").complains("--document FILE");
    init("--document shop.yaml", &of("http://127.0.0.1:9/shop.yaml")).exits(0);
    probity("init --arazzo gone.yaml").exits(2).complains("cannot read gone.yaml");
    init("--contract x", WORKFLOWS).exits(2).complains("cannot be used with");
}

#[test]
fn values_of_every_kind_are_sent_as_they_are_written() {
    let server = shop(&[]);
    let workflows = document(
        r#"  - workflowId: w
    inputs:
      type: object
      properties:
        parts: { type: object, default: { name: Bo, tags: [x, 'it''s'] } }
    steps:
      - stepId: valid
        operationId: createCustomer
        requestBody: { payload: { name: $inputs.parts.name, email: null } }
        successCriteria: [{ condition: $statusCode == 422 }]
      - stepId: lists
        operationId: createCustomer
        requestBody: { payload: [1, $inputs.parts.tags.1] }
        successCriteria: [{ condition: $statusCode == 422 }]
      - stepId: form-words
        operationId: createCustomer
        requestBody: { payload: { name: { cel: "1 +" }, note: [{ it: $inputs.parts#/name }], "a b": "5" } }
        successCriteria: [{ condition: "$statusCode == '422'" }]
      - stepId: optional
        operationId: cancelOrder
        parameters: [{ name: order_id, in: path, value: 999 }]
        requestBody: { contentType: application/json, payload: { reason: "{$steps.lists.outputs.none}$5" } }
        successCriteria: [{ condition: $statusCode == 404 }]
      - stepId: token
        operationId: listOrders
        parameters: [{ name: Authorization, in: header, value: "Bearer {$steps.lists.outputs.kind}" }]
        successCriteria: [{ condition: $statusCode == 401 }]
      - stepId: text
        operationId: createCustomer
        requestBody: { payload: "name: {$inputs.parts.name}" }
        successCriteria: [{ condition: $statusCode == 422 }]
"#,
    );
    // An output that nothing has is a mistake; with one, it is sent.
    init("", &workflows).exits(2).complains("has no output `none`");
    let workflows = workflows.replace("outputs.none", "outputs.kind").replacen(
        "        requestBody: { payload: [1",
        "        outputs: { kind: $response.header.Content-Type }\n        requestBody: { payload: [1",
        1,
    );
    let made = init("", &workflows).exits(0);
    check(&made, &server, "--only w/*").exits(0);
    let bodies: Vec<String> = server
        .requests()
        .iter()
        .map(|r| String::from_utf8_lossy(&r.body).into_owned())
        .filter(|b| !b.is_empty())
        .collect();
    for body in [
        r#"{"name":"Bo","email":null}"#,
        r#"[1,"it's"]"#,
        r#"{"name":{"cel":"1 +"},"note":[{"it":"Bo"}],"a b":"5"}"#,
        r#"{"reason":"application/json$5"}"#,
        "name: Bo",
    ] {
        assert!(bodies.iter().any(|sent| sent == body), "{body} in {bodies:#?}");
    }
}

#[test]
fn a_contract_of_workflows_is_about_what_needs_nothing() {
    let things = |responses: &str| {
        format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /things/{{id}}:\n    parameters: [{{ name: id, in: \
             path, required: true, schema: {{ type: string }} }}]\n    get: {{ operationId: read, responses: {responses} }}\n"
        )
    };
    let fine = "{ '200': { description: fine } }";
    let workflow = one_step("operationId: read\nparameters: [{ name: id, in: path, value: a }]");
    let made = |document: String| {
        probity("init --arazzo w.yaml").file("shop.yaml", document).file("w.yaml", &workflow).exits(0)
    };
    // An operation that no step calls will do.
    let other = format!("{}  /other:\n    get: {{ operationId: other, responses: {fine} }}\n", things(fine));
    let ran = made(other);
    ran.holds(ran.read("w-workflows/contract.yaml").contains("operation: \"other\""), "the other one");
    let ran = made(things(fine));
    ran.complains("no operation reads something without needing anything, so the contract is about `read`");
    ran.complains("w.yaml:3:").complains("`values` of contract.yaml");
    ran.holds(ran.read("w-workflows/w.yaml").contains("from: minimal"), "its own operation is not called");
}

#[test]
fn of_several_documents_one_is_chosen_and_inputs_of_one_name_are_told_apart() {
    let workflows = r#"arazzo: 1.0.1
info: { title: Many, version: "1" }
sourceDescriptions:
  - { name: first, url: shop.yaml, type: openapi }
  - { name: second, url: second.yaml }
workflows:
  - workflowId: one
    inputs: { type: object, properties: { limit: { type: integer, default: 3 }, same: { type: string } } }
    successActions: [{ reference: $components.successActions.done }]
    steps:
      - stepId: a
        operationId: $sourceDescriptions.second.listOrders
        parameters:
          - { name: limit, in: query, value: $inputs.limit }
          - { name: sid, in: cookie, value: $inputs.same }
  - workflowId: two
    inputs: { type: object, properties: { limit: { type: string }, same: { type: string } } }
    steps:
      - stepId: a
        operationId: $sourceDescriptions.second.listOrders
        parameters:
          - { name: limit, in: query, value: $inputs.limit }
          - { name: X-A, in: header, value: $inputs.same }
  - workflowId: Two
    steps: [{ stepId: a, operationId: $sourceDescriptions.first.listOrders }]
components:
  successActions:
    done: { name: done, type: end }
"#;
    let made = init("", workflows).file("second.yaml", app::DOCUMENT).exits(0);
    made.complains("its operation is in the source `first`").says("same, two_limit have no value");
    made.holds(made.read("shop-workflows/contract.yaml").contains("spec: \"second.yaml\""), "that of most steps");
    assert!(made.read("shop-workflows/two-2.yaml").ends_with("[]\n"), "names that are alike are two files");
    let server = shop(&[]);
    let fixtures = "--fixture same=x --fixture two_limit=4";
    check(&made, &server, &format!("--only one/* --only two/* {fixtures}")).exits(0);
    let sent = |target: &str, header: &str| {
        server
            .requests()
            .iter()
            .any(|r| r.target == target && r.header(header).is_some_and(|value| value.contains('x')))
    };
    assert!(sent("/orders?limit=3", "cookie") && sent("/orders?limit=4", "x-a"), "each has its own limit");
    let made = init("--document shop.yaml", workflows).file("second.yaml", app::DOCUMENT).exits(0);
    made.complains("its operation is in the source `second`").says("1 of 1 steps of Two");
}
