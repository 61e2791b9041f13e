//! `init --arazzo`: a contract of the workflows of an Arazzo document, and settings for it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::options::{color_stderr, document, environment as variable, quoted};
use super::super::{Done, print};
use super::document::{File, spec};
use super::{Args, NO_TOKEN, connection, taken, tried, write};
use crate::arazzo::file::{Arazzo, SourceDescription};
use crate::arazzo::{Cases, cases};
use crate::contract::{CALLER, Contract, Location};
use crate::gate::Exit;
use crate::settings::{FILE, Overrides, write as settings_file};
use crate::source::{Diagnostic, Result, Source};

/// How many areas a command names one by one.
const NAMED: usize = 4;

pub(super) fn run(args: &Args, path: &Path) -> Done {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Diagnostic::new(format!("cannot read {}: {e}", path.display())).help("name an Arazzo document with --arazzo")
    })?;
    let arazzo = Arazzo::read(&Source::new(path.display().to_string(), text))?;
    let (source, place) = source(args, path, &arazzo)?;
    let read = document::read(&place)?;
    let made = cases(&arazzo, source, &read)?;
    for note in &made.notes {
        complain!("{}", note.render_note(color_stderr()));
    }
    let folder = folder(args, path);
    let names: Vec<String> =
        made.files.iter().map(|file| format!("{}.yaml", file.area)).chain(["contract.yaml".to_owned()]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (spec, mut files) = spec(&folder, &place, &read, &names)?;
    files.push(File { path: folder.join("contract.yaml"), text: contract(path, &spec, &made) });
    let of_cases = made.files.iter().map(|file| (folder.join(format!("{}.yaml", file.area)), file.text.clone()));
    files.extend(of_cases.map(|(path, text)| File { path, text }));
    if let Some(file) = files.iter().find(|file| file.path.exists() && !args.force) {
        let help = "use --force to overwrite it, or move the folder away";
        return Err(Diagnostic::new(format!("{} already exists", file.path.display())).help(help).into());
    }
    // Where the target is may be known already.
    let url = args.target.clone().or_else(|| variable("PROBITY_TARGET"));
    let url = url.filter(|_| args.force || !args.out.exists());
    std::fs::create_dir_all(&folder)
        .map_err(|e| Diagnostic::new(format!("cannot make the folder {}: {e}", folder.display())))?;
    for file in &files {
        write(&file.path, args.force, &file.text)?;
    }
    // Read as a check will read it.
    let contract = Contract::load(&Location::Folder(folder.clone()))?;
    let needs_token = !contract.operation.alternatives.is_empty();
    let has_settings = url.is_some();
    if let Some(url) = url {
        settings(args, url, &made.fixtures, &contract)?;
    } else if !args.fixture.is_empty() {
        complain!("warning: no settings are written, so --fixture has no effect; pass it to `probity check`");
    }
    print(&told(args, &folder, &made, (has_settings, needs_token)));
    Ok(Exit::Conformant)
}

/// The source whose operations the cases call, and the place of its document.
fn source<'a>(args: &Args, path: &Path, arazzo: &'a Arazzo) -> Result<(&'a SourceDescription, String)> {
    let beside = |source: &SourceDescription| {
        let url = source.url.string("`url`").unwrap_or_default();
        path.parent().unwrap_or(Path::new("")).join(url)
    };
    let Some(main) = arazzo.main_source() else {
        let error = arazzo.sources_error("no source is an OpenAPI document, so there are no operations");
        return Err(error.help("add one: `{ name: api, url: openapi.yaml, type: openapi }`"));
    };
    if let Some(place) = &args.contract.document {
        let whole = |path: PathBuf| std::fs::canonicalize(path).ok();
        let named =
            whole(place.into()).and_then(|place| arazzo.sources().find(|s| whole(beside(s)) == Some(place.clone())));
        return Ok((named.unwrap_or(main), place.clone()));
    }
    let url = main.url.string("`url`")?;
    if url.contains("://") {
        return Err(main
            .url
            .error("what a document names on other machines is not fetched")
            .label("this is the OpenAPI document of the workflows")
            .help("say where it is: --document FILE, or --document with this URL"));
    }
    let place = beside(main);
    if !place.is_file() {
        return Err(main
            .url
            .error(format!("there is no file {}", place.display()))
            .help("paths start from the Arazzo document's folder; --document says where the OpenAPI document is"));
    }
    Ok((main, place.display().to_string()))
}

/// The folder of the contract: called as the Arazzo document, beside the settings.
fn folder(args: &Args, path: &Path) -> PathBuf {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let stem = stem.strip_suffix(".arazzo").unwrap_or(stem);
    let plain: String = stem.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    // The document may have a contract that is called as it is.
    let name = if plain.ends_with("workflows") { plain } else { format!("{plain}-workflows") };
    args.out.parent().unwrap_or(Path::new("")).join(name)
}

/// The text of `contract.yaml`.
fn contract(path: &Path, spec: &str, made: &Cases) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut text =
        format!("# The workflows of {name}, as cases. `probity init --arazzo` made them; they can be changed.\n");
    let _ = writeln!(text, "spec: {}\n", Json::from(spec));
    text += "# All that the document says of this operation is tried as well. It decides which credentials are sent.\n";
    let _ = writeln!(text, "operation: {}\n", Json::from(made.operation.as_str()));
    text += "# The steps of the workflows call these.\noperations:\n";
    for id in &made.called {
        let _ = writeln!(text, "  - {}", Json::from(id.as_str()));
    }
    if made.called.is_empty() {
        text = text.replace("operations:\n", "operations: []\n");
    }
    if made.has_ids {
        text += "\n# What a created record is called.\nrecord: response.body.id\n";
    }
    if made.fixtures["properties"].as_object().is_some_and(|all| !all.is_empty()) {
        text += "\n# The inputs of the workflows.\nfixtures:\n  type: object\n  properties:\n";
        for (name, schema) in made.fixtures["properties"].as_object().into_iter().flatten() {
            let _ = writeln!(text, "    {}: {schema}", Json::from(name.as_str()));
        }
    }
    text
}

/// Writes settings with the inputs as fixtures.
fn settings(args: &Args, url: String, schema: &Json, contract: &Contract) -> Result<()> {
    let (values, written) = connection(args, url);
    let identities: Vec<(String, String, bool)> = match contract.operation.alternatives.is_empty() {
        true => Vec::new(),
        false => vec![(CALLER.to_owned(), args.token_env.clone(), true)],
    };
    let draft = |fixtures: &Json| {
        let (values, identities) = (written.clone(), identities.clone());
        settings_file::file(&settings_file::Draft { values, identities, schema, fixtures })
    };
    let environment = |name: &str| match variable(name) {
        None if name == args.token_env => Some(NO_TOKEN.to_owned()),
        known => known,
    };
    let overrides = Overrides { on: None, flags: values, fixtures: args.fixture.clone() };
    let settings = tried(args, draft(&json!({})), &overrides, &environment)?;
    if let Err(production) = settings.check_production(&contract.operation.servers) {
        complain!("warning: {}; nothing is sent now", production.title());
    }
    let text = settings.secrets.redactor().text(&draft(&settings.fixtures)).into_owned();
    if args.out.exists() && !args.force {
        return Err(taken(&args.out));
    }
    write(&args.out, args.force, &text)
}

/// What was written, and what to do next.
fn told(args: &Args, folder: &Path, made: &Cases, (has_settings, needs_token): (bool, bool)) -> String {
    let mut text = String::from("Written:\n\n");
    if has_settings {
        let _ = writeln!(text, "  {}", args.out.display());
    }
    let _ = writeln!(text, "  {}", folder.join("contract.yaml").display());
    for file in &made.files {
        let (some, all) = file.steps;
        let path = folder.join(format!("{}.yaml", file.area));
        let _ = writeln!(text, "  {}: {some} of {all} steps of {}", path.display(), file.workflow);
    }
    if !made.notes.is_empty() {
        text += "\nWhat is left out is named above, and in the files.\n";
    }
    let given = |name: &String| args.fixture.iter().any(|(path, _)| path.split('.').next() == Some(name.as_str()));
    let asked: Vec<&str> = made.asked.iter().filter(|name| !given(name)).map(String::as_str).collect();
    let config = if args.out == Path::new(FILE) { String::new() } else { format!(" --config {}", args.out.display()) };
    if !asked.is_empty() {
        let (verb, place) = (if asked.len() == 1 { "has" } else { "have" }, args.out.display());
        let _ = writeln!(
            text,
            "\n{} {verb} no value: fill it in under [fixtures] of {place}, or, if it is a text, pass\n--fixture \
             {}=VALUE. What needs it is skipped.",
            asked.join(", "),
            asked[0]
        );
    }
    let folder = quoted(&folder.display().to_string());
    let target = if has_settings || args.out.exists() { config } else { " --target URL".to_owned() };
    let export = if needs_token && variable(&args.token_env).is_none() {
        format!("  export {}=…\n", args.token_env)
    } else {
        String::new()
    };
    let areas: Vec<&str> = made.files.iter().filter(|file| file.steps.0 > 0).map(|file| file.area.as_str()).collect();
    let only: String = areas.iter().map(|area| format!(" --only {}", quoted(&format!("{area}/*")))).collect();
    let _ = write!(text, "\nNext:\n\n{export}  probity check --contract {folder}{target}\n");
    if !areas.is_empty() && areas.len() <= NAMED {
        let _ = writeln!(
            text,
            "  probity check --contract {folder}{target}{only}\n\nThe second checks the workflows alone, the first also what \
             the document says of {}.",
            made.operation
        );
    }
    text
}
