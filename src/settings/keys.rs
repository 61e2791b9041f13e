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

/// A table of the settings beside those of [`KEYS`].
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name in the file.
    pub table: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// How it is written.
    pub lines: &'static str,
}

/// All of them. What stands there is read by a test.
pub const SECTIONS: &[Section] = &[
    Section {
        table: "identities",
        text: "Who calls, and where the token comes from: a variable; a file, read again when it changes; a command that \
               prints one, run again when its time (ttl) ends or the target refuses it. The caller sends unless a case \
               says otherwise; the others stand in where the contract's cases name them.",
        lines: "[identities.caller]\ntoken = { env = \"PROBITY_TOKEN\" }\n\n[identities.colleague]\n\
                token = { file = \"colleague.token\" }\n\n[identities.read_only]\n\
                token = { command = \"print-token read-only\", ttl = \"50s\" }\n",
    },
    Section {
        table: "fixtures",
        text: "What the target provides: `probity explain fixtures` shows what the contract asks for, `probity init` looks \
               it up where it can (--fixture PATH=VALUE)",
        lines: "[fixtures]\nthing_id = \"t_1\"\n",
    },
    Section {
        table: "headers",
        text: "Headers of every request; a secret comes from where tokens come from, and is kept out of reports. So are \
               the headers that secret_headers = [\"x-session\"] under [target] lists, in both directions.",
        lines: "[headers]\nX-Tenant = \"acme\"\nX-Gateway-Key = { env = \"GATEWAY_KEY\" }\n",
    },
    Section {
        table: "cleanup",
        text: "How a record that a run created is removed, after each run and by `probity cleanup`: {id} is the record, \
               other names are those of the operation's path (--no-cleanup leaves all)",
        lines: "[cleanup]\nmethod = \"DELETE\"\npath = \"/v1/things/{id}\"\n",
    },
    Section {
        table: "gate",
        text: "What makes a run red, beside musts: levels, areas, ids or patterns of ids that count (deny) and that do \
               not (allow), and a file of known failures.",
        lines: "[gate]\ndeny = [\"should\"]\nallow = []\nwaivers = \"waivers.toml\"\n",
    },
    Section {
        table: "targets",
        text: "More targets, by name: --on staging, or PROBITY_ON. The keys of [target] stand in the table itself, all \
               other tables below it; what they do not say is shared.",
        lines: "[targets.staging]\nurl = \"https://staging.example.com\"\n\n[targets.staging.identities.caller]\n\
                token = { env = \"STAGING_TOKEN\" }\n\n[targets.staging.budget]\nmax_created = 100\n",
    },
];
