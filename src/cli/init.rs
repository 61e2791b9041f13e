//! `init`: writes settings for a server, with what it tells of itself; of a document, also the beginnings of a contract; of
//! workflows, a contract with their steps as cases.

mod arazzo;
mod document;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde_json::{Value as Json, json};

use super::options::{CONNECTION, ContractOptions, Flags, environment as variable, pair};
use super::{Done, Failed, logging, print};
use crate::contract::{CALLER, Contract};
use crate::gate::Exit;
use crate::http::block_on;
use crate::http::client::Client;
use crate::http::clock::Clock;
use crate::lookup::{Asked, look_up};
use crate::report::text::visible;
use crate::secrets::without_login;
use crate::settings::{FILE, Overrides, Settings, TOKEN_VARIABLE, variable_of, write};
use crate::source::{Diagnostic, Result, Source};

/// Stands for a token that is not there, so that all else can be checked. It is never sent.
const NO_TOKEN: &str = "unset";

/// Values by their flags.
type Values = BTreeMap<&'static str, String>;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    contract: ContractOptions,

    /// An Arazzo document: make a contract of its workflows, a case for each step; --document says where its OpenAPI
    /// document is, if not where the Arazzo document says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["contract", "operation", "skip_operation"])]
    arazzo: Option<PathBuf>,

    /// The base URL of the target; on a terminal, you are asked for it [env: PROBITY_TARGET]
    #[arg(long, value_name = "URL")]
    target: Option<String>,

    /// The variable that holds the caller's token, now and in each check; the token itself is never written
    #[arg(long, value_name = "NAME", default_value = TOKEN_VARIABLE)]
    token_env: String,

    /// A fixture that need not be looked up, such as `thing_id=t_1`; dots go deeper; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair)]
    fixture: Vec<(String, String)>,

    /// Do not look anything up: send nothing
    #[arg(long)]
    no_lookup: bool,

    /// Where to write the settings
    #[arg(long, value_name = "FILE", default_value = FILE)]
    out: PathBuf,

    /// Overwrite an existing file
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    connection: Flags<CONNECTION>,
}

pub(crate) fn run(args: &Args) -> Done {
    // Workflows can be checked with the settings that are there.
    if args.arazzo.is_none() && args.out.exists() && !args.force {
        return Err(taken(&args.out).into());
    }
    if !is_variable(&args.token_env) {
        // Not repeated: it may be a token.
        let error = Diagnostic::new("--token-env takes the name of a variable, in capitals, not a token");
        return Err(error.help("put the token into a variable and pass its name: --token-env PROBITY_TOKEN").into());
    }
    if let Some(path) = &args.arazzo {
        return arazzo::run(args, path);
    }
    if let Some(place) = &args.contract.document {
        return document::run(args, place);
    }
    let contract = args.contract.load()?;
    let url = url(args)?;
    let token = token(args)?;
    let environment = |name: &str| match (&token, name == args.token_env) {
        (Some(token), true) => Some(token.clone()),
        (None, true) => Some(NO_TOKEN.to_owned()),
        (_, false) => variable(name),
    };
    let (values, written) = connection(args, url);
    let identities = identities(&contract, &args.token_env, &environment);
    let draft = |fixtures: &Json| {
        let draft = write::Draft {
            values: written.clone(),
            identities: identities.clone(),
            schema: &contract.fixtures.json,
            fixtures,
        };
        write::file(&draft)
    };
    let overrides = Overrides {
        on: None,
        // A variable would go before what the file says.
        flags: values.clone(),
        fixtures: args.fixture.clone(),
    };
    let settings = tried(args, draft(&json!({})), &overrides, &environment)?;
    if let Err(production) = settings.check_production(&contract.operation.servers) {
        complain!("warning: {}; only look-ups will be sent", production.title());
    }
    let secrets = settings.secrets.clone();
    let given = settings.fixtures.clone();
    let (mut fixtures, asked) = match &token {
        Some(_) if !args.no_lookup => looked_up(&contract, settings, &given)?,
        _ => (json!({}), Vec::new()),
    };
    for (name, value) in given.as_object().into_iter().flatten() {
        fixtures[name] = value.clone();
    }
    // What the target told may hold a token.
    let redactor = secrets.redactor();
    write(&args.out, args.force, &redactor.text(&draft(&fixtures)))?;
    print(&redactor.text(&told(&contract, args, &fixtures, &asked, token.is_some())));
    Ok(Exit::Conformant)
}

/// What is known of the connection, by flags: as it is used now, and as it is written.
fn connection(args: &Args, url: String) -> (Values, Values) {
    let mut values = args.connection.0.clone();
    values.insert("target", url);
    if args.out.parent().is_some_and(|folder| folder != Path::new("")) {
        // In a file, paths start from its folder.
        for flag in ["ca-file", "client-certificate"] {
            if let Some(path) = values.get_mut(flag)
                && let Ok(whole) = std::path::absolute(&*path)
            {
                *path = whole.display().to_string();
            }
        }
    }
    // What was typed is used; what is written holds no password.
    let mut written = values.clone();
    if let Some(proxy) = values.get("proxy").and_then(|proxy| without_login(proxy)) {
        complain!(
            "warning: the proxy's user and password are not written to the file: put the whole URL into PROBITY_PROXY"
        );
        written.insert("proxy", proxy);
    }
    (values, written)
}

/// The URL that was typed, here or when asked.
fn url(args: &Args) -> Result<String> {
    if let Some(url) = args.target.clone().or_else(|| variable("PROBITY_TARGET")) {
        return Ok(url);
    }
    if !std::io::stdin().is_terminal() {
        return Err(
            Diagnostic::new("no target is named").help("pass --target URL; you are asked for it only on a terminal")
        );
    }
    let asked = dialoguer::Input::new().with_prompt("Base URL of the target").interact_text();
    asked.map_err(|e| Diagnostic::new(format!("no answer can be read: {e}")).help("say --target URL"))
}

/// The caller's token, if there is one.
fn token(args: &Args) -> Result<Option<String>> {
    let held = variable(&args.token_env).filter(|token| !token.trim().is_empty());
    if held.is_some() || args.no_lookup || !std::io::stdin().is_terminal() {
        return Ok(held);
    }
    let prompt = format!(
        "Token for looking up fixtures (never written; leave empty for none; later it is read from {})",
        args.token_env
    );
    let asked = dialoguer::Password::new().with_prompt(prompt).allow_empty_password(true).interact();
    let token = asked.map_err(|e| Diagnostic::new(format!("no answer can be read: {e}")))?;
    Ok(Some(token.trim().to_owned()).filter(|token| !token.is_empty()))
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        // Variables are written in capitals; tokens hardly ever are.
        && !name.contains(|c: char| c.is_ascii_lowercase())
}

/// The identities that the contract names: name, variable, and whether that is set.
fn identities(
    contract: &Contract,
    caller: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<(String, String, bool)> {
    let of = |name: String| {
        let variable = if name == CALLER { caller.to_owned() } else { variable_of(caller, &name) };
        let fixtures = name == CALLER || environment(&variable).is_some();
        (name, variable, fixtures)
    };
    contract.identities().into_iter().map(of).collect()
}

fn looked_up(contract: &Contract, settings: Settings, given: &Json) -> std::result::Result<(Json, Vec<Asked>), Failed> {
    let client = Client::new(settings, contract.operation.security.clone(), Clock::system())?;
    client.pace().begin(0);
    let found = block_on(look_up(&contract.lookup, &client, &contract.fixtures, given))?;
    Ok((found.fixtures, found.asked))
}

fn taken(path: &Path) -> Box<Diagnostic> {
    Diagnostic::new(format!("{} already exists", path.display()))
        .help("use --force to overwrite it, or --out FILE to write another file")
}

fn write(path: &Path, force: bool, text: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => taken(path),
        _ => Diagnostic::new(format!("cannot write {}: {e}", path.display())).help("pass another file with --out"),
    })
}

/// What was found, and what to do next.
fn told(contract: &Contract, args: &Args, fixtures: &Json, asked: &[Asked], has_token: bool) -> String {
    let mut text = String::new();
    let schema = &contract.fixtures.json;
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let about = property["description"].as_str().unwrap_or_default();
        let line = match fixtures.get(name) {
            Some(value) => format!("  ✓ {name} = {value}"),
            None => format!("  – {name}: {about}"),
        };
        text += &format!("{}\n", visible(&line));
    }
    let looked = match (asked.iter().all(Asked::is_answered), has_token) {
        _ if args.no_lookup => "Nothing was looked up.".to_owned(),
        (_, false) => format!("Nothing was looked up, because the variable {} is not set.", args.token_env),
        _ if contract.lookup.steps.is_empty() => "The contract does not say how to look up fixtures.".to_owned(),
        (true, true) => format!("Found with {} GET requests; nothing was created.", asked.len()),
        (false, true) => {
            let missed = asked.iter().filter(|a| !a.is_answered());
            let lines: String = missed.map(|a| format!("  {}\n", visible(&a.line()))).collect();
            format!("Some look-ups were not answered:\n{lines}Nothing was created.")
        }
    };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let missing: Vec<&str> = required.into_iter().filter(|name| fixtures.get(name).is_none()).collect();
    let fill = if missing.is_empty() {
        "A check creates records in what the fixtures name: make sure that they are meant for that.".to_owned()
    } else {
        format!("Nothing can be checked without {}: fill it in.", missing.join(", "))
    };
    let config = if args.out == Path::new(FILE) { String::new() } else { format!(" --config {}", args.out.display()) };
    format!(
        "{} was written. What the target provides:\n\n{text}\n{looked}\n{fill}\n\nNext:\n\n  {}probity doctor{config}\n  probity \
         check{config}\n",
        args.out.display(),
        if has_token && variable(&args.token_env).is_some() {
            String::new()
        } else {
            format!("export {}=…\n  ", args.token_env)
        },
    )
}

/// Settings that are about to be written, read as a check will read them: what is wrong with them is told now.
fn tried(
    args: &Args,
    text: String,
    overrides: &Overrides,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings> {
    let source = Source::new(args.out.display().to_string(), text);
    let settings = Settings::read(Some(source), overrides, environment)?;
    logging::keep_out(&settings.secrets);
    for warning in settings.warnings() {
        complain!("warning: {warning}");
    }
    Ok(settings)
}
