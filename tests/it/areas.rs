//! In every area and form: a server that deviates there is found out by the requirement that speaks of it, and one that
//! takes a variation is not.
//!
//! The whole table, both ways, is the business of the crate's own tests. These go through the front door.

use crate::support::probity;

/// A fault of the reference server, and a requirement that it breaks.
macro_rules! faults {
    ($($test:ident: $fault:literal breaks $level:ident $id:literal;)+) => {
        $(#[test]
        fn $test() {
            broken($fault, stringify!($level), $id);
        })+
    };
}

/// A variation of the reference server, and requirements that hold nevertheless.
macro_rules! variations {
    ($($test:ident: $variation:literal keeps $($only:literal)+;)+) => {
        $(#[test]
        fn $test() {
            kept($variation, &[$($only),+]);
        })+
    };
}

#[track_caller]
fn broken(fault: &str, level: &str, id: &str) {
    let words = format!("check --seed 3 --only {id} --fault {fault}");
    let ran = match level {
        "must" => probity(&words).exits(1),
        _ => probity(&format!("{words} --deny {level}")).exits(1),
    };
    ran.verdict(id, "fail");
    let requirement = ran.requirement(id);
    ran.holds(requirement["level"] == level, "the level is that of the table");
    ran.holds(!requirement["failures"][0]["curl"][0].is_null(), "there is a command that shows it");
    ran.says(&format!("✗ fail {level} {id}")).says("Not conformant: 1 of ");
}

#[track_caller]
fn kept(variation: &str, only: &[&str]) {
    let only: String = only.iter().map(|id| format!(" --only '{id}'")).collect();
    let ran = probity(&format!("check --seed 3 --variation {variation}{only}")).exits(0);
    let report = ran.report();
    ran.holds(report["summary"]["must"]["fail"] == 0, "no must fails").says("Conformant: ");
    ran.holds(report["summary"]["must"]["pass"] != 0, "some were tested");
}

faults! {
    // schema
    a_name_that_is_not_required: "name-missing-accepted" breaks must "schema/name-required";
    a_name_of_another_type: "name-number-coerced" breaks must "schema/name-type";
    a_value_of_another_type: "value-text-coerced" breaks must "schema/value-type";
    a_bound_that_is_off_by_one: "probability-101-accepted" breaks must "schema/probability-maximum";
    a_bound_that_is_too_narrow: "probability-zero-refused" breaks must "schema/probability-minimum";
    // request
    an_optional_field_that_is_required: "value-required" breaks must "request/name-alone";
    fields_that_go_only_together: "stage-required-with-pipeline" breaks must "request/optional-fields-left-out";
    amounts_of_32_bits: "value-beyond-32-bit-refused" breaks must "request/amounts-beyond-32-bits";
    amounts_of_twelve_digits: "value-beyond-trillion-refused" breaks should "request/amounts-of-53-bits";
    // close-date
    dates_in_the_past: "close-date-past-accepted" breaks must "close-date/in-the-future";
    an_hour_of_grace: "close-date-hour-of-grace" breaks must "close-date/past";
    offsets_that_are_ignored: "close-date-offset-ignored" breaks must "close-date/past-in-an-eastern-offset";
    seconds_of_32_bits: "close-date-beyond-2038-refused" breaks must "close-date/past-2038";
    nanoseconds_of_64_bits: "close-date-beyond-2262-refused" breaks should "close-date/year-9000";
    days_that_roll_over: "close-date-impossible-day-rolled" breaks must "close-date/impossible-days";
    // pipeline
    an_unknown_pipeline: "pipeline-unknown-accepted" breaks must "pipeline/unknown-pipeline";
    a_stage_of_another_pipeline: "stage-of-other-pipeline-accepted" breaks must "pipeline/stage-of-another-pipeline";
    a_stage_that_is_ignored: "stage-ignored" breaks must "pipeline/last-stage";
    // defaults
    a_default_of_another_type: "default-pipeline-always-client" breaks must "defaults/pipeline-by-household";
    a_last_stage_for_the_first: "default-stage-last" breaks must "defaults/first-stage";
    an_owner_who_is_not_the_user: "default-owner-always-one" breaks must "defaults/owner-is-the-colleague";
    zero_for_nothing: "default-value-zero" breaks should "defaults/no-value";
    // response
    cents_for_dollars: "value-in-cents" breaks must "response/value-in-dollars";
    markup_that_is_escaped: "name-escaped" breaks must "response/names-in-any-script";
    zero_that_is_lost: "value-zero-lost" breaks must "response/zero-stays-zero";
    times_of_another_day: "created-at-tomorrow" breaks must "response/created-now";
    a_wrong_status: "status-202" breaks must "response/success-status";
    an_undocumented_status: "status-202" breaks should "operation/documented-status";
    a_wrong_media_type: "answer-as-html" breaks must "operation/media-type";
    a_wrong_shape: "answer-camel-case" breaks must "operation/response-201-shape";
    a_date_that_moves: "close-date-hour-late" breaks must "response/close-date-as-sent";
    ids_that_repeat: "ids-from-name" breaks must "response/unique-ids";
    // idempotency
    keys_that_are_ignored: "key-ignored" breaks must "idempotency/replay-returns-original";
    keys_in_one_case: "key-case-folded" breaks must "idempotency/keys-in-either-case";
    keys_of_32_characters: "key-cut-at-32" breaks must "idempotency/whole-keys";
    a_changed_body: "changed-body-creates" breaks must "idempotency/changed-body";
    keys_shared_by_users: "key-shared-by-users" breaks should "idempotency/key-of-another-user";
    replays_for_everybody: "replay-before-authentication" breaks must "idempotency/replay-without-a-token";
    // authentication
    no_token: "token-missing-accepted" breaks must "authentication/refused";
    a_wrong_refusal: "unauthenticated-403" breaks should "authentication/unauthorized-status";
    a_reader_who_writes: "read-only-accepted" breaks must "authentication/read-only";
    // household
    an_unknown_household: "household-unknown-accepted" breaks must "household/unknown";
    a_foreign_household: "household-foreign-accepted" breaks must "household/foreign";
    a_slash_that_is_decoded: "household-slash-breaks" breaks must "household/path-like-ids";
    // robustness
    bodies_that_are_repaired: "truncated-body-repaired" breaks must "robustness/malformed-json";
    a_body_that_breaks: "deep-nesting-breaks" breaks must "robustness/deep-nesting";
    text_that_breaks: "lone-surrogate-breaks" breaks must "robustness/broken-text";
    a_connection_that_is_dropped: "invalid-utf-8-drops" breaks must "robustness/broken-text";
    // operation
    any_request_that_breaks: "name-astral-breaks" breaks must "operation/no-server-error";
    valid_requests_refused: "value-date-and-owner-refused" breaks must "operation/valid-accepted";
    // errors
    refusals_in_a_list: "error-in-list" breaks should "errors/json-object";
    refusals_with_a_trace: "error-stack-trace" breaks should "errors/no-stack-trace";
    refusals_that_vary: "error-keys-vary" breaks should "errors/same-keys";
}

variations! {
    unknown_properties_refused: "unknown-properties-refused" keeps "robustness/unknown-properties" "request/name-alone";
    nulls_refused: "null-refused" keeps "robustness/explicit-nulls" "request/name-alone";
    cents_rounded: "cents-rounded-half-up" keeps "response/value-in-dollars";
    times_at_an_offset: "times-with-offset" keeps "response/close-date-as-sent" "response/created-now" "operation/response-201-shape";
    properties_left_out: "absent-for-null" keeps "operation/response-201-shape" "defaults/*";
    more_properties: "extra-fields" keeps "operation/response-201-shape" "response/success-status";
    sparse_objects: "sparse-objects" keeps "pipeline/stage-honoured" "operation/response-201-shape" "defaults/first-stage";
    a_stage_has_a_probability: "stage-probability" keeps "defaults/*";
    another_status: "created-200" keeps "response/success-status" "idempotency/replay-returns-original";
    other_statuses_of_refusals: "invalid-400" keeps "schema/probability-*" "errors/*";
    refusals_in_html: "errors-in-html" keeps "schema/name-type" "errors/*";
    a_changed_body_is_replayed: "changed-body-replayed" keeps "idempotency/changed-body" "idempotency/replay-after-changed-body";
    a_key_that_is_busy: "busy-409" keeps "idempotency/same-key-at-once";
    a_key_that_is_busy_and_too_early: "busy-425" keeps "idempotency/same-key-at-once";
    a_media_type_with_a_suffix: "media-type-of-vendor" keeps "operation/media-type" "operation/response-201-shape";
    halves_of_surrogate_pairs: "lone-surrogates-kept" keeps "robustness/broken-text" "operation/response-201-shape" "response/unique-ids";
    long_keys_refused: "long-keys-refused" keeps "idempotency/keys-of-every-length" "idempotency/whole-keys";
    a_clock_ahead: "clock-ahead" keeps "close-date/near-future" "close-date/past" "response/created-now";
    a_clock_behind_that_does_not_say_so: "clock-behind-undated" keeps "close-date/near-future" "close-date/past" "response/created-now";
    connections_closed: "connection-close" keeps "response/no-mixing" "idempotency/third-time";
    compressed: "gzip" keeps "operation/response-201-shape" "response/name-as-sent";
    overloaded_for_a_while: "overloaded" keeps "close-date/*";
}
