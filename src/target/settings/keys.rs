//! The single values that settings have: one line each, for reading, for help and for `--print-settings`.

/// A single value of the settings.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its table in the file; empty where a file cannot say it.
    pub table: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its flag, without dashes.
    pub flag: &'static str,
    /// What holds where nobody says anything.
    pub default: &'static str,
    /// An example, for the file.
    pub example: &'static str,
    /// What it is.
    pub text: &'static str,
}

impl Key {
    /// Its name with its table's.
    pub fn path(&self) -> String {
        if self.table.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.table, self.name) }
    }

    /// Its variable.
    pub fn variable(&self) -> String {
        format!("PROBITY_{}", self.flag.to_uppercase().replace('-', "_"))
    }
}

macro_rules! keys {
    ($($constant:ident $table:literal $name:literal $flag:literal $default:literal $example:literal $text:literal)*) => {
        $(
            pub(super) const $constant: Key = Key {
                table: $table, name: $name, flag: $flag, default: $default, example: $example, text: $text,
            };
        )*
        /// All of them.
        pub const KEYS: &[Key] = &[$($constant),*];
    };
}

keys! {
    URL "target" "url" "target" "" "\"https://staging.example.com\"" "the base URL; a path before the operation's may follow"
    RATE "target" "rate" "rate" "as fast as the server allows" "\"8/s\"" "how many requests are sent in a time: 8/s, 900/h"
    CONCURRENCY "target" "concurrency" "concurrency" "16" "16" "how many requests are under way at most"
    TIMEOUT "target" "timeout" "timeout" "10s" "\"10s\"" "the time limit of one request"
    PROXY "target" "proxy" "proxy" "that of HTTPS_PROXY and its like" "\"http://proxy.example.com:3128\"" "the proxy"
    CA_FILE "target" "ca_file" "ca-file" "" "\"ca.pem\"" "authorities that are believed beside the system's, in PEM"
    CLIENT_CERTIFICATE "target" "client_certificate" "client-certificate" "" "\"client.pem\"" "our certificate and its key, in PEM"
    INSECURE "target" "insecure" "insecure" "false" "false" "whether any certificate is believed; for tests alone"
    ALLOW_PRODUCTION "" "allow_production" "allow-production" "false" "true" "whether a server may be checked that the document names"
    MAX_REQUESTS "budget" "max_requests" "max-requests" "500, or what --examples asks for" "500" "how many requests may be sent, shrinking included"
    MAX_CREATED "budget" "max_created" "max-created" "no limit" "300" "how many records may be created"
    MAX_DURATION "budget" "max_duration" "max-duration" "no limit" "\"10m\"" "how long a run may take, waits included"
}
