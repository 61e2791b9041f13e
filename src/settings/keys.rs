//! The declaration of every setting. What reads them, the command line and its help, the variables, the file that `init`
//! writes, `explain settings`, `--print-settings` and the JSON Schema for editors are all made from this table.

use crate::fields::{self, Map, Value};

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
        sentence(self.text)
    }
}

/// A text that begins with a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
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

/// A key of the table of a target that is a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub text: &'static str,
}

/// All of them.
pub(super) const LISTS: &[List] = &[List {
    name: "secret_headers",
    text: "the names of headers whose values no report shows, in requests and responses",
}];

/// A table of the settings besides those of [`KEYS`].
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name in the file.
    pub table: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// How it is written.
    pub lines: &'static str,
    /// What it holds; None for that of named targets, which hold all others.
    pub value: Option<Value>,
}

/// All of them. A test reads what stands there.
pub const SECTIONS: &[Section] = &[
    Section {
        table: "identities",
        text: "Who calls, and where the token comes from: a variable; a file, which is read again when it changes; a \
               command that prints a token, which runs again when its time (ttl) is over or the target refuses it; or a \
               server that issues it, to an OAuth 2.0 client (token_url) or for a login (docs/staging.md). The caller sends \
               unless a case says otherwise; the cases of the contract name the others.",
        lines: "[identities.caller]\ntoken = { env = \"PROBITY_TOKEN\" }\n\n[identities.colleague]\n\
                token = { file = \"colleague.token\" }\n\n[identities.read_only]\n\
                token = { command = \"print-token read-only\", ttl = \"50s\" }\n\n[identities.robot]\n\
                token = { token_url = \"https://id.example.com/token\", client_id = \"qa\", \
                client_secret = { env = \"SECRET\" } }\n",
        value: Some(Value::Entries(&Value::Map(&IDENTITY))),
    },
    Section {
        table: "fixtures",
        text: "What the target provides. `probity explain fixtures` shows what the contract needs; `probity init` looks \
               it up where it can (--fixture PATH=VALUE)",
        lines: "[fixtures]\nthing_id = \"t_1\"\n",
        value: Some(Value::Entries(&Value::Any)),
    },
    Section {
        table: "headers",
        text: "Headers of every request. A secret is written as a token is, and kept out of reports. So are the headers \
               that secret_headers = [\"x-session\"] under [target] lists, in requests and responses.",
        lines: "[headers]\nX-Tenant = \"acme\"\nX-Gateway-Key = { env = \"GATEWAY_KEY\" }\n",
        value: Some(Value::Entries(&Value::One(&[Value::Text, Value::Integer, Value::Truth, SECRET]))),
    },
    Section {
        table: "cleanup",
        text: "How to remove a record that a run created, after each run and by `probity cleanup`. {id} is the record, \
               other names are parameters of the operation's path (--no-cleanup leaves all records)",
        lines: "[cleanup]\nmethod = \"DELETE\"\npath = \"/v1/things/{id}\"\n",
        value: Some(Value::Map(&CLEANUP)),
    },
    Section {
        table: "gate",
        text: "What makes a run red besides musts: levels, areas, ids or patterns of ids that count (deny) and that do \
               not (allow), and a file of known failures.",
        lines: "[gate]\ndeny = [\"should\"]\nallow = []\nwaivers = \"waivers.toml\"\n",
        value: Some(Value::Map(&GATE)),
    },
    Section {
        table: "targets",
        text: "More targets, by name: --on staging, or PROBITY_ON. The keys of [target] stand in the table itself, all \
               other tables below it. What they do not say comes from the shared tables.",
        lines: "[targets.staging]\nurl = \"https://staging.example.com\"\n\n[targets.staging.identities.caller]\n\
                token = { env = \"STAGING_TOKEN\" }\n\n[targets.staging.budget]\nmax_created = 100\n",
        value: None,
    },
];

/// Where a secret comes from.
const SECRET: Value = Value::One(&[
    Value::Map(&FROM_VARIABLE),
    Value::Map(&FROM_FILE),
    Value::Map(&FROM_COMMAND),
    Value::Map(&OF_CLIENT),
    Value::Map(&OF_LOGIN),
]);

/// A text, or a secret that stays the same.
const LASTING: Value = Value::One(&[Value::Scalar, Value::Map(&FROM_VARIABLE), Value::Map(&FROM_FILE)]);

/// A secret in a variable.
pub(super) static FROM_VARIABLE: Map = Map {
    name: "secret in a variable",
    text: "A secret that a variable of the environment holds.",
    keys: &[fields::Key::required("env", Value::Text, "The name of the variable.")],
};

/// A secret in a file.
pub(super) static FROM_FILE: Map = Map {
    name: "secret in a file",
    text: "A secret that a file holds, which is read again when it changes.",
    keys: &[fields::Key::required("file", Value::Text, "The file, from the folder of the settings.")],
};

/// A secret that a command prints.
pub(super) static FROM_COMMAND: Map = Map {
    name: "secret of a command",
    text: "A secret that a command prints, which runs again when its time is over or the target refuses it.",
    keys: &[
        fields::Key::required("command", Value::Text, "The command."),
        fields::Key::new("ttl", fields::DURATION, "How long the secret may be used: 50s."),
    ],
};

/// A token that a server issues to an OAuth 2.0 client.
pub(super) static OF_CLIENT: Map = Map {
    name: "token of a client",
    text: "A token that a server issues to an OAuth 2.0 client for its own credentials.",
    keys: &[
        fields::Key::required("token_url", Value::Text, "Where it is asked for: a URL, or a path behind the target's."),
        fields::Key::required("client_id", LASTING, "The client's id."),
        fields::Key::required("client_secret", LASTING, "The client's secret."),
        fields::Key::new(
            "client_authentication",
            Value::Word(&["basic", "body"]),
            "Where the client's credentials stand: in a header, which is the default, or in the body.",
        ),
        fields::Key::new("scope", Value::Text, "What the token is to be good for, in words between spaces."),
        fields::Key::new("parameters", Value::Entries(&LASTING), "Further fields of the form, such as an audience."),
        fields::Key::new("at", Value::Text, "The place of the token in the answer, as a JSON Pointer."),
    ],
};

/// A token that a server issues for a login.
pub(super) static OF_LOGIN: Map = Map {
    name: "token of a login",
    text: "A token that a server issues for a login.",
    keys: &[
        fields::Key::required("login", Value::Text, "Where it is asked for: a URL, or a path behind the target's."),
        fields::Key::new("body", Value::Entries(&Value::Any), "The JSON that is sent, with secrets at any depth."),
        fields::Key::new("form", Value::Entries(&LASTING), "The form that is sent, in place of JSON."),
        fields::Key::new("at", Value::Text, "The place of the token in the answer, as a JSON Pointer."),
    ],
};

/// `[identities.*]`.
pub(super) static IDENTITY: Map = Map {
    name: "identity",
    text: "Who calls, and where the token comes from.",
    keys: &[
        fields::Key::new("token", SECRET, "The token."),
        fields::Key::new(
            "credentials",
            Value::Entries(&SECRET),
            "By security scheme of the document: its credentials.",
        ),
    ],
};

/// `[cleanup]`.
pub(super) static CLEANUP: Map = Map {
    name: "clean-up",
    text: "How to remove a record that a run created.",
    keys: &[
        fields::Key::new("method", Value::Text, "The method; DELETE if left out."),
        fields::Key::required(
            "path",
            Value::Text,
            "The path: {id} is the record, other names are those of the operation's path.",
        ),
    ],
};

/// `[gate]`, which the gate reads.
pub static GATE: Map = Map {
    name: "gate",
    text: "What makes a run red.",
    keys: &[
        fields::Key::new("deny", Value::List(&Value::Text, 0), "Levels, areas, ids or patterns of ids that count."),
        fields::Key::new(
            "allow",
            Value::List(&Value::Text, 0),
            "Levels, areas, ids or patterns of ids that do not count.",
        ),
        fields::Key::new("waivers", Value::Text, "A file of known failures, from the folder of the settings."),
        fields::Key::new("allow_untested", Value::Truth, "Whether what the budget leaves out makes no run red."),
    ],
};

/// The names of all that may stand in `[target]`.
pub(super) fn in_target() -> Vec<&'static str> {
    in_table("target").chain(LISTS.iter().map(|list| list.name)).collect()
}

/// The names of all that may stand in `[budget]`.
pub(super) fn in_budget() -> Vec<&'static str> {
    in_table("budget").collect()
}

/// The names of all tables of the file.
pub(super) fn in_file() -> Vec<&'static str> {
    ["target", "budget"].into_iter().chain(SECTIONS.iter().map(|section| section.table)).collect()
}

/// The names of all that may stand in the table of a named target: the keys of `[target]`, and all tables but those that
/// speak of more than one target.
pub(super) fn in_named_target() -> Vec<&'static str> {
    let tables = in_file().into_iter().filter(|table| !["target", "targets", "gate"].contains(table));
    in_target().into_iter().chain(tables).collect()
}

fn in_table(table: &'static str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(move |key| key.table == table).map(|key| key.name)
}
