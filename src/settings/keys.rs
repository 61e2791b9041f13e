//! The declaration of every setting. What reads them, the command line and its help, the variables, the file that `init`
//! writes, `explain settings` and `--print-settings` are all made from this table.

/// A single value of the settings.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its table in the file; empty where a file cannot say it.
    pub table: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its flag, without dashes.
    pub flag: &'static str,
    /// What stands for its value in help; None for a flag that has no value, and means `true`.
    pub value: Option<&'static str>,
    /// With which other flags commands take it.
    pub group: Group,
    /// What applies where nobody says anything.
    pub default: Fallback,
    /// An example, as a file has it.
    pub example: &'static str,
    /// What it is: a sentence without its stop, beginning in lower case.
    pub text: &'static str,
}

/// Flags that commands take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Which server, and how fast it is called.
    Target,
    /// How it is connected to.
    Connection,
    /// What a run may cost.
    Budget,
}

/// What applies where nobody says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// This value, as it would be written.
    Value(&'static str),
    /// What these words say; it is no single value.
    Words(&'static str),
    /// Nothing.
    None,
}

impl Fallback {
    /// For help and comments.
    pub fn text(self) -> &'static str {
        match self {
            Self::Value(text) | Self::Words(text) => text,
            Self::None => "",
        }
    }
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

    /// What it is, as a sentence without its stop.
    pub fn sentence(&self) -> String {
        let mut chars = self.text.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    }
}

/// All of them.
pub const KEYS: &[Key] = &[
    URL,
    RATE,
    CONCURRENCY,
    ALLOW_PRODUCTION,
    TIMEOUT,
    PROXY,
    CA_FILE,
    CLIENT_CERTIFICATE,
    INSECURE,
    MAX_REQUESTS,
    MAX_CREATED,
    MAX_DURATION,
];

pub(super) const URL: Key = Key {
    table: "target",
    name: "url",
    flag: "target",
    value: Some("URL"),
    group: Group::Target,
    default: Fallback::None,
    example: "\"https://staging.example.com\"",
    text: "the base URL of the target; it may include a path that comes before the operation's path",
};

pub(super) const RATE: Key = Key {
    table: "target",
    name: "rate",
    flag: "rate",
    value: Some("RATE"),
    group: Group::Target,
    default: Fallback::Words("as fast as the server allows"),
    example: "\"8/s\"",
    text: "how many requests are sent in a period: 8/s, 900/h",
};

pub(super) const CONCURRENCY: Key = Key {
    table: "target",
    name: "concurrency",
    flag: "concurrency",
    value: Some("N"),
    group: Group::Target,
    default: Fallback::Value("16"),
    example: "16",
    text: "how many requests may be in progress at once",
};

pub(super) const ALLOW_PRODUCTION: Key = Key {
    table: "",
    name: "allow_production",
    flag: "allow-production",
    value: None,
    group: Group::Target,
    default: Fallback::Value("false"),
    example: "true",
    text: "whether a server may be checked that the document itself names",
};

pub(super) const TIMEOUT: Key = Key {
    table: "target",
    name: "timeout",
    flag: "timeout",
    value: Some("DURATION"),
    group: Group::Connection,
    default: Fallback::Value("10s"),
    example: "\"10s\"",
    text: "the time limit of one request",
};

pub(super) const PROXY: Key = Key {
    table: "target",
    name: "proxy",
    flag: "proxy",
    value: Some("URL"),
    group: Group::Connection,
    default: Fallback::Words("that of HTTPS_PROXY and its like"),
    example: "\"http://proxy.example.com:3128\"",
    text: "the proxy to connect through",
};

pub(super) const CA_FILE: Key = Key {
    table: "target",
    name: "ca_file",
    flag: "ca-file",
    value: Some("FILE"),
    group: Group::Connection,
    default: Fallback::None,
    example: "\"ca.pem\"",
    text: "extra CA certificates (PEM)",
};

pub(super) const CLIENT_CERTIFICATE: Key = Key {
    table: "target",
    name: "client_certificate",
    flag: "client-certificate",
    value: Some("FILE"),
    group: Group::Connection,
    default: Fallback::None,
    example: "\"client.pem\"",
    text: "the client certificate and its private key (PEM)",
};

pub(super) const INSECURE: Key = Key {
    table: "target",
    name: "insecure",
    flag: "insecure",
    value: None,
    group: Group::Connection,
    default: Fallback::Value("false"),
    example: "false",
    text: "whether to accept any certificate; for tests only",
};

pub(super) const MAX_REQUESTS: Key = Key {
    table: "budget",
    name: "max_requests",
    flag: "max-requests",
    value: Some("N"),
    group: Group::Budget,
    default: Fallback::Words("500, and 100 for each other operation that steps call, or as many as --examples needs"),
    example: "500",
    text: "how many requests a run may send, including those that find smaller failing requests",
};

pub(super) const MAX_CREATED: Key = Key {
    table: "budget",
    name: "max_created",
    flag: "max-created",
    value: Some("N"),
    group: Group::Budget,
    default: Fallback::Words("no limit"),
    example: "300",
    text: "how many records a run may create",
};

pub(super) const MAX_DURATION: Key = Key {
    table: "budget",
    name: "max_duration",
    flag: "max-duration",
    value: Some("DURATION"),
    group: Group::Budget,
    default: Fallback::Words("no limit"),
    example: "\"10m\"",
    text: "how long a run may take, including waits",
};

/// A table of the settings besides those of [`KEYS`].
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name in the file.
    pub table: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// How it is written.
    pub lines: &'static str,
}

/// All of them. A test reads what stands there.
pub const SECTIONS: &[Section] = &[
    Section {
        table: "identities",
        text: "Who calls, and where the token comes from: a variable; a file, which is read again when it changes; a \
               command that prints a token, which runs again when its time (ttl) is over or the target refuses it; or a \
               server that issues it, to an OAuth 2.0 client (token_url) or for a login (docs/staging.md). The caller sends unless a case says otherwise; the cases of the contract name the others.",
        lines: "[identities.caller]\ntoken = { env = \"PROBITY_TOKEN\" }\n\n[identities.colleague]\n\
                token = { file = \"colleague.token\" }\n\n[identities.read_only]\n\
                token = { command = \"print-token read-only\", ttl = \"50s\" }\n\n[identities.robot]\n\
                token = { token_url = \"https://id.example.com/token\", client_id = \"qa\", client_secret = { env = \"SECRET\" } }\n",
    },
    Section {
        table: "fixtures",
        text: "What the target provides. `probity explain fixtures` shows what the contract needs; `probity init` looks \
               it up where it can (--fixture PATH=VALUE)",
        lines: "[fixtures]\nthing_id = \"t_1\"\n",
    },
    Section {
        table: "headers",
        text: "Headers of every request. A secret is written as a token is, and kept out of reports. So are the headers \
               that secret_headers = [\"x-session\"] under [target] lists, in requests and responses.",
        lines: "[headers]\nX-Tenant = \"acme\"\nX-Gateway-Key = { env = \"GATEWAY_KEY\" }\n",
    },
    Section {
        table: "cleanup",
        text: "How to remove a record that a run created, after each run and by `probity cleanup`. {id} is the record, \
               other names are parameters of the operation's path (--no-cleanup leaves all records)",
        lines: "[cleanup]\nmethod = \"DELETE\"\npath = \"/v1/things/{id}\"\n",
    },
    Section {
        table: "gate",
        text: "What makes a run red besides musts: levels, areas, ids or patterns of ids that count (deny) and that do \
               not (allow), and a file of known failures.",
        lines: "[gate]\ndeny = [\"should\"]\nallow = []\nwaivers = \"waivers.toml\"\n",
    },
    Section {
        table: "targets",
        text: "More targets, by name: --on staging, or PROBITY_ON. The keys of [target] stand in the table itself, all \
               other tables below it. What they do not say comes from the shared tables.",
        lines: "[targets.staging]\nurl = \"https://staging.example.com\"\n\n[targets.staging.identities.caller]\n\
                token = { env = \"STAGING_TOKEN\" }\n\n[targets.staging.budget]\nmax_created = 100\n",
    },
];
