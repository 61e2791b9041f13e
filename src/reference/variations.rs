//! The table of the variations: what the contract leaves to a server, each taken at one point. Some of them fail a
//! `should`; none fails a `must`.

use crate::reference::deviation_table::deviation_table;

deviation_table! {
    /// A legitimate difference from the way the reference server answers by itself.
    Variation {
        "requests" {
            UnknownPropertiesRefused "unknown-properties-refused" "An unknown property is refused.";
            DuplicatePropertiesRefused "duplicate-properties-refused" "A property that stands twice is refused.";
            NullRefused "null-refused" "An explicit null for an optional field is refused.";
            EmptyIdsOmitted "empty-ids-omitted" "An empty pipeline, stage or owner is treated as left out.";
            IntegralFloatsRefused "integral-floats-refused" "A number written with a fraction or an exponent is no integer, even if it is whole.";
            EmptyNamesRefused "empty-names-refused" "An empty name is refused.";
            BlankNamesRefused "blank-names-refused" "A name of nothing but whitespace is refused.";
            LongNamesRefused "long-names-refused" "A name of more than 100 characters is refused.";
            NamesTrimmed "names-trimmed" "Whitespace around a name is removed.";
            NamesComposed "names-composed" "A name is kept in the composed form of Unicode, NFC.";
            ControlCharactersRefused "control-characters-refused" "A name with a control character is refused.";
            ControlCharactersDropped "control-characters-dropped" "Control characters are removed from a name.";
            NegativeValuesRefused "negative-values-refused" "A negative value is refused.";
            ValuesBeyondSafeRefused "values-beyond-safe-refused" "A value beyond 2^53 is refused.";
            ContentTypeIgnored "content-type-ignored" "The body is read as JSON, whatever it is declared as.";
            ContentTypeNeededForFields "content-type-needed-for-fields" "A body not declared as JSON is not read, so that its fields are missing.";
            ExtendedJsonTaken "extended-json-taken" "Comments, needless commas, single quotes, names without quotes, leading zeros and NaN are taken.";
            ByteOrderMarkSkipped "byte-order-mark-skipped" "A byte order mark before the body is skipped.";
            InvalidUtf8Replaced "invalid-utf-8-replaced" "Bytes that are no UTF-8 become replacement characters.";
            LoneSurrogatesKept "lone-surrogates-kept" "Half a surrogate pair is taken, and comes back as its escape.";
            LoneSurrogatesReplaced "lone-surrogates-replaced" "The escape of half a surrogate pair becomes a replacement character.";
            SmallBodyLimit "small-body-limit" "A body of more than 64 KiB is refused with a 413.";
            LongPathsRefused "long-paths-refused" "A path of more than 1,000 bytes is refused with a 414.";
            OddPathsRedirected "odd-paths-redirected" "A path with an escaped slash, percent sign or pair of dots in its household is redirected.";
        }
        "close-date" {
            CloseDateMinutesAheadNeeded "close-date-minutes-ahead-needed" "A close date less than nine minutes ahead is refused.";
            CloseDateMinuteOfGrace "close-date-minute-of-grace" "A close date up to a minute ago is taken.";
            CloseDateSpellingsStrict "close-date-spellings-strict" "Lower case, leap seconds and more than six digits of a fraction are refused.";
            CloseDateSpellingsLoose "close-date-spellings-loose" "A space for the T, a missing zone and an offset without a colon are taken.";
            CloseDateBefore2500 "close-date-before-2500" "A close date from the year 2500 on is refused.";
            CloseDateAsSent "close-date-as-sent" "The answer spells the close date as the request did.";
            CloseDateInSeconds "close-date-in-seconds" "The answer gives the close date in whole seconds.";
        }
        "references" {
            OtherTypesRefused "other-types-refused" "A pipeline of another type than the household's is refused.";
            StageChoosesPipeline "stage-chooses-pipeline" "A stage without a pipeline brings its own.";
        }
        "order" {
            ValidationBeforeTenancy "validation-before-tenancy" "The body is checked before the household.";
            ParsingBeforeAuthentication "parsing-before-authentication" "A body that is no JSON object is refused before the token is looked at.";
        }
        "refusals" {
            Invalid400 "invalid-400" "An invalid body is refused with a 400.";
            Malformed422 "malformed-422" "A body that is no JSON is refused with a 422.";
            UnknownReference404 "unknown-reference-404" "An unknown pipeline, stage or owner is refused with a 404.";
            Mismatch409 "mismatch-409" "A stage of another pipeline is refused with a 409.";
            Household403 "household-403" "An unknown household, or another tenant's, is refused with a 403.";
            ForeignHousehold403 "foreign-household-403" "Another tenant's household is refused with a 403, an unknown one with a 404.";
            ReadOnly401 "read-only-401" "A token that may only read is refused with a 401.";
            ReadOnly404 "read-only-404" "A token that may only read is refused with a 404.";
            CredentialsSplit "credentials-split" "Of the credentials, what stands behind a second blank is not looked at.";
            BearerInAnyCase "bearer-in-any-case" "The scheme is compared without regard to case.";
            ProblemJson "problem-json" "Refusals are problem details, declared as such.";
            ErrorsWrapped "errors-wrapped" "Refusals are wrapped in a property called error.";
            ErrorsTraced "errors-traced" "Refusals carry the id of the request.";
            ErrorsInPlainText "errors-in-plain-text" "Refusals are a line of plain text.";
            ErrorsInHtml "errors-in-html" "Refusals are a page of HTML.";
        }
        "answers" {
            Created200 "created-200" "The status is 200 for a record that was created.";
            AbsentForNull "absent-for-null" "A property without a value is left out.";
            HouseholdAbsent "household-absent" "The answer does not name the household.";
            ExtraFields "extra-fields" "The answer has properties that the document does not name, nested ones too.";
            SparseObjects "sparse-objects" "Pipeline, stage and owner have only their id.";
            TimesAbsent "times-absent" "The answer has none of the times that it may leave out.";
            StageTimeNull "stage-time-null" "The time of the stage's last change is null for a new record.";
            TimesWithZeroOffset "times-with-zero-offset" "Times are in UTC, written as a numeric offset.";
            TimesWithOffset "times-with-offset" "Times are given at an offset of +05:30.";
            TimesInMicroseconds "times-in-microseconds" "Times have six digits of a fraction.";
            TimesInNanoseconds "times-in-nanoseconds" "Times have nine digits of a fraction.";
            TimesInSeconds "times-in-seconds" "Times have whole seconds.";
            CentsRoundedHalfUp "cents-rounded-half-up" "Cents are rounded to the nearest dollar, halves up.";
            CentsRoundedHalfEven "cents-rounded-half-even" "Cents are rounded to the nearest dollar, halves to even.";
            CentsCutTowardsZero "cents-cut-towards-zero" "Cents are cut towards zero.";
            StageProbability "stage-probability" "A probability that was left out is the stage's.";
            IdsAsUuids "ids-as-uuids" "Ids look like UUIDs.";
            IdsInSequence "ids-in-sequence" "Ids are numbers in sequence, as strings.";
            IdsLong "ids-long" "Ids have more than two hundred characters.";
            KeysSorted "keys-sorted" "The properties of the answer are sorted by name.";
            Indented "indented" "JSON is indented.";
            EscapedBeyondAscii "escaped-beyond-ascii" "JSON has escapes for all that is beyond ASCII.";
            Charset "charset" "Media types carry a charset.";
            MediaTypesInCapitals "media-types-in-capitals" "Media types are written with capital letters.";
            MediaTypeOfVendor "media-type-of-vendor" "Records are declared as application/vnd.opportunity+json.";
            ExtraHeaders "extra-headers" "Responses carry a location, a cookie and caching headers.";
        }
        "idempotency" {
            ChangedBodyReplayed "changed-body-replayed" "A known key with another body gets the original answer.";
            ChangedBody409 "changed-body-409" "A known key with another body is refused with a 409.";
            BodiesComparedAsBytes "bodies-compared-as-bytes" "Bodies that differ only in spelling are taken for different ones.";
            Busy409 "busy-409" "A key whose first request is still under way is refused with a 409.";
            Busy425 "busy-425" "A key whose first request is still under way is refused with a 425.";
            LongKeysRefused "long-keys-refused" "A key of more than 64 characters is refused with a 400.";
            RefusalsKept "refusals-kept" "Refusals are kept for their key, too.";
            KeysAcrossHouseholds "keys-across-households" "A key counts for all households together.";
            KeysOfTenant "keys-of-tenant" "A key counts for all users of a tenant together.";
            KeysLiveAMinute "keys-live-a-minute" "A key is forgotten after a minute.";
            ReplaysMarked "replays-marked" "A replay says in a header that it is one.";
            KeysEchoed "keys-echoed" "Responses repeat the key of the request in a header.";
        }
        "wire" {
            Latency "latency" "Every request takes 50 ms.";
            Jitter "jitter" "Requests take up to 100 ms, each another time.";
            RateLimited "rate-limited" "More than 60 requests in half a second get a 429 that asks for a second.";
            RateLimitedByDate "rate-limited-by-date" "More than 60 requests in half a second get a 429 that names the time to come back.";
            RateLimitedWithoutTime "rate-limited-without-time" "More than 60 requests in half a second get a 429 that names no time.";
            Overloaded "overloaded" "The tenth request, and those of the next half second, get a 503 that asks for a second.";
            ClockAhead "clock-ahead" "The server's clock is 90 seconds ahead.";
            ClockBehind "clock-behind" "The server's clock is 90 seconds behind.";
            ClockAheadUndated "clock-ahead-undated" "The server's clock is 90 seconds ahead, and no header says so.";
            ClockBehindUndated "clock-behind-undated" "The server's clock is 90 seconds behind, and no header says so.";
            Undated "undated" "Responses have no date.";
            ConnectionClose "connection-close" "The connection is closed after each response.";
            Every40thDrops "every-40th-drops" "Every fortieth request closes the connection without an answer, and so does the next on a fresh connection: a network may do that.";
            IdleConnectionsClosed "idle-connections-closed" "A connection on which nothing comes for half a second is closed.";
            Http10 "http-10" "Responses are of HTTP/1.0, and end with the connection.";
            Chunked "chunked" "Bodies are sent in pieces, without a length.";
            Gzip "gzip" "Bodies are compressed for those who take it.";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Variation;
    use crate::reference::deviation_table::tests::check;

    #[test]
    fn the_table_holds_to_its_conventions() {
        check(Variation::ALL.iter().map(|variation| (format!("{variation:?}"), variation.name(), variation.text())));
    }

    #[test]
    fn a_name_leads_to_its_variation() {
        assert_eq!(Variation::named("latency"), Some(Variation::Latency));
        assert_eq!(Variation::named("Latency"), None);
    }
}
