//! The words of cases: those of the past say what is written now, and names that no document has are found.

use crate::support::contract::Copy;
use crate::support::probity;

/// A case with a part of its own.
fn case(more: &str) -> String {
    format!("- id: of-a-test\n  level: must\n  text: Something.\n  source: nowhere\n{more}\n")
}

/// Lints a contract with one more case, which must be refused at a line, with advice.
fn refused(more: &str, at: &str, advice: &str) {
    let copy = Copy::new().append("response.yaml", &case(more));
    let ran = probity("lint --contract").arg(copy.path()).exits(2);
    ran.complains(advice);
    let text = std::fs::read_to_string(copy.path().join("response.yaml")).expect("a file");
    let line = text[..text.rfind(at).expect("the place")].matches('\n').count() + 1;
    ran.holds(ran.stderr.contains(&format!("response.yaml:{line}:")), &format!("it points at line {line}"));
}

fn accepted(more: &str) {
    let copy = Copy::new().append("response.yaml", &case(more));
    probity("lint --contract").arg(copy.path()).exits(0);
}

#[test]
fn words_of_the_past_say_what_is_written_now() {
    for (more, at, advice) in [
        ("  given: request.body.value == 1\n  expect: 'true'", "given: request", "`given` is now called `where`"),
        (
            "  each: [{ a: 1 }]\n  steps:\n    - of_it: { from: minimal }\n  expect: of_it.accepted",
            "each: [{ a",
            "write `rows:`",
        ),
        ("  steps:\n    - of_it: { from: minimal }\n  expect: of_it.rejected", "of_it.rejected", "`refused`"),
        ("  steps:\n    - of_it: { from: minimal }\n  expect: of_it.rejected", "of_it.rejected", "`client_error`"),
        (
            "  steps:\n    - of_it: [{ from: minimal }]\n  expect: of_it.all(e, e.rejected)",
            "e.rejected",
            "`client_error`",
        ),
        ("  where: caller == 'caller'\n  expect: 'true'", "where: caller", "`identity`"),
        (
            "  steps:\n    - of_it: { from: minimal }\n    - more: { from: of_it }\n  expect: more.accepted",
            "from: of_it",
            "repeat: of_it",
        ),
        (
            "  steps:\n    - of_it: { copies: 2, each_copy: true }\n  expect: of_it.all(e, e.accepted)",
            "each_copy",
            "`anew: true`",
        ),
        (
            "  steps:\n    - of_it: { set: { /name: { repeat: a, times: 3 } } }\n  expect: of_it.accepted",
            "repeat: a",
            "filler: a",
        ),
    ] {
        refused(more, at, advice);
    }
}

#[test]
fn names_that_the_document_does_not_have_are_found() {
    let steps = |step: &str| format!("  steps:\n    - of_it: {{ from: minimal, {step} }}\n  expect: of_it.answered");
    for (step, at, advice) in [
        ("drop: [/nmae]", "/nmae", "did you mean `/name`?"),
        ("set: { /colour: red }", "/colour", "undocumented: [/colour]"),
        ("headers: { Idempotancy-Key: a }", "Idempotancy", "did you mean `Idempotency-Key`?"),
        ("query: { page: 1 }", "page: 1", "the document has no query parameter `page`"),
        ("cookies: { session: a }", "session: a", "the document has no cookie `session`"),
        ("path: { house_id: a }", "house_id: a", "the path has no parameter `house_id`"),
        ("set: { /name: a }, undocumented: [/name]", "undocumented", "remove this one"),
        ("anew: true", "anew: true", "nothing to make anew"),
    ] {
        refused(&steps(step), at, advice);
    }
    for step in [
        "set: { /colour: red }, undocumented: [/colour]",
        "headers: { X-Debug: a, accept-language: de }, undocumented: [X-Debug]",
        "query: { page: 1 }, cookies: { session: a }, undocumented: [page, session]",
        "drop: [/name]",
    ] {
        accepted(&steps(step));
    }
}

#[test]
fn a_step_takes_no_name_that_stands_for_something_else() {
    for name in ["minimal", "valid", "now", "caller", "identity", "fixtures", "request", "refused"] {
        let more = format!("  steps:\n    - {name}: {{ drop: [/name] }}\n  expect: 'true'");
        refused(&more, &format!("- {name}: {{ drop"), &format!("the name `{name}` is reserved"));
    }
    refused(
        "  steps:\n    - of-it: { from: minimal }\n  expect: 'true'",
        "of-it:",
        "`of-it` cannot be the name of a step",
    );
}

#[test]
fn what_an_exchange_does_not_have_is_found() {
    refused(
        "  steps:\n    - of_it: { from: minimal }\n  expect: of_it.acepted",
        "of_it.acepted",
        "did you mean `accepted`?",
    );
}

#[test]
fn expressions_that_fail_for_some_values_only_are_no_defect() {
    for expect in [
        "!(sent.accepted && sent.response.body.name.split('x')[1] == 'y')",
        "!sent.accepted || double(sent.response.body.name) > 0.0",
        "!sent.accepted || sent.response.body.name.substring(0, 3) == 'abc'",
    ] {
        accepted(&format!("  steps:\n    - sent: {{ from: minimal }}\n  expect: \"{expect}\""));
    }
    let wrong = "  steps:\n    - sent: { from: minimal }\n  expect: sent.response.body.name > 3";
    refused(wrong, "sent.response.body.name", "cannot be evaluated on a valid exchange");
}
