//! `init --document`: settings for a whole document, and a contract to go on from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::super::options::{document, environment as variable, quoted};
use super::super::{Done, print};
use super::{Args, NO_TOKEN, connection, taken, tried, url, write};
use crate::contract::{CALLER, Contract};
use crate::document::Document;
use crate::document::operation::Operation;
use crate::document::parameter::ParameterLocation;
use crate::gate::Exit;
use crate::http::clock::Clock;
use crate::settings::{FILE, Overrides, Settings, write as settings_file};
use crate::source::{Diagnostic, Result};
use crate::whole::order::{Paths, Phase};
use crate::whole::resources::resources;
use crate::whole::{Outline, Rules, Whole};

/// How many fields of a record the first case compares.
const COMPARED: usize = 3;

/// A file that is to be written.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

pub(super) fn run(args: &Args, place: &str) -> Done {
    let contracts = args.contract.load_all()?;
    let read = document::read(place)?;
    let url = url(args)?;
    let (values, written) = connection(args, url);
    let needs_token = contracts.iter().any(|c| !c.operation.alternatives.is_empty());
    let caller = (CALLER.to_owned(), args.token_env.clone(), true);
    let identities: Vec<(String, String, bool)> = needs_token.then_some(caller).into_iter().collect();
    let draft = |schema: &Json, fixtures: &Json| {
        settings_file::file(&settings_file::Draft {
            values: written.clone(),
            identities: identities.clone(),
            schema,
            fixtures,
        })
    };
    let environment = |name: &str| match variable(name) {
        None if name == args.token_env => Some(NO_TOKEN.to_owned()),
        known => known,
    };
    let overrides = Overrides { on: None, flags: values, fixtures: args.fixture.clone() };
    let settings = tried(args, draft(&json!({}), &json!({})), &overrides, &environment)?;
    let production = contracts.iter().find_map(|c| settings.check_production(&c.operation.servers).err());
    if let Some(production) = production {
        complain!("warning: {}; nothing is sent now", production.title());
    }
    let main = main_operation(&contracts);
    let folder = folder(args, &read);
    let mut files = Vec::new();
    if let Some(main) = main {
        files.extend(contract(&folder, place, &read, &contracts, main)?);
    }
    // What would be tried does not depend on whether it may be.
    let open = Settings { allow_production: true, ..settings.clone() };
    let rules = Rules { named: args.contract.operation.clone(), allow_unsafe: true };
    let outlines = Whole::new(contracts, open, crate::session::Options::default(), rules, Clock::system())?.outlines();
    let text = settings.secrets.redactor().text(&draft(&wanted(&outlines), &settings.fixtures)).into_owned();
    files.insert(0, File { path: args.out.clone(), text });
    if let Some(file) = files.iter().find(|file| file.path.exists() && !args.force) {
        return Err(taken(&file.path).into());
    }
    if files.len() > 1 {
        std::fs::create_dir_all(&folder)
            .map_err(|e| Diagnostic::new(format!("cannot make the folder {}: {e}", folder.display())))?;
    }
    for file in &files {
        write(&file.path, args.force, &file.text)?;
    }
    print(&told(args, place, &files, &outlines, needs_token));
    Ok(Exit::Conformant)
}

/// What a check would have to guess, as a schema of fixtures: by parameter for what is read, by operation for what changes
/// a record.
fn wanted(outlines: &[Outline]) -> Json {
    let mut reads: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut all = Map::new();
    for outline in outlines {
        let guessed: Vec<&str> =
            outline.values.iter().filter(|(_, from)| from == "guessed").map(|(name, _)| name.as_str()).collect();
        if outline.phase == Phase::Read {
            guessed.iter().for_each(|name| reads.entry(name).or_default().push(&outline.operation));
        } else if !guessed.is_empty() {
            let about = |name: &&str| {
                let text =
                    format!("A record that {} may use up: without it, the operation is not called", outline.operation);
                ((*name).to_owned(), json!({ "type": "string", "description": text }))
            };
            let properties: Map<String, Json> = guessed.iter().map(about).collect();
            all.insert(outline.operation.clone(), json!({ "type": "object", "properties": properties }));
        }
    }
    for (name, operations) in reads {
        let text = format!("Read by {}: without it, a value is guessed", operations.join(", "));
        all.insert(name.to_owned(), json!({ "type": "string", "description": text }));
    }
    json!({ "type": "object", "properties": all })
}

/// The operation that a contract begins with: the first that creates something for which nothing else has to be there, one
/// that can be read back if there is such a one.
fn main_operation(contracts: &[Contract]) -> Option<usize> {
    let paths = Paths::of(contracts);
    let is_free = |at: &usize| {
        let operation = &contracts[*at].operation;
        operation.method == "POST"
            && Phase::of(operation, &paths) == Phase::Create
            && operation.parameters_in(ParameterLocation::Path).next().is_none()
            && operation.obstacle().is_none()
            && crate::whole::resources::needs(contracts, *at).is_empty()
    };
    let readable: Vec<usize> = resources(contracts).iter().filter_map(|r| r.create).collect();
    let free: Vec<usize> = (0..contracts.len()).filter(is_free).collect();
    free.iter().find(|at| readable.contains(at)).or(free.first()).copied()
}

/// The folder of the contract: called as the document, beside the settings.
fn folder(args: &Args, document: &Document) -> PathBuf {
    let name = document.sources().first().map_or("", |source| source.path.as_str());
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("contract");
    let plain: String = stem.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    args.out.parent().unwrap_or(Path::new("")).join(if plain.is_empty() { "contract" } else { &plain })
}

/// The files of a contract.
fn contract(folder: &Path, place: &str, document: &Document, contracts: &[Contract], main: usize) -> Result<Vec<File>> {
    let operation = &contracts[main].operation;
    let (spec, mut files) = spec(folder, place, document, &["contract.yaml", "records.yaml"])?;
    let mut text = String::from("# What a server of this API is to do beyond what its document says.\n");
    let _ = writeln!(text, "spec: {}\n", Json::from(spec));
    let _ = writeln!(text, "# Its requests are generated and judged; cases speak of it.");
    let _ = writeln!(text, "operation: {}\n", Json::from(operation.id.as_str()));
    let _ = writeln!(text, "# Steps of cases may call the others.\noperations: [\"*\"]");
    if answers(operation, &["id"]) {
        let _ = writeln!(text, "\n# What a created record is called.\nrecord: response.body.id");
    }
    files.push(File { path: folder.join("contract.yaml"), text });
    if let Some(text) = read_back(contracts, main) {
        files.push(File { path: folder.join("records.yaml"), text });
    }
    Ok(files)
}

/// What `spec` of a contract in a folder says of a document; of a document from a URL, also the files that are kept in the
/// folder, none of them under a name that is `taken`.
///
/// # Errors
/// A document from a URL that refers to files which cannot be kept.
pub(super) fn spec(folder: &Path, place: &str, document: &Document, taken: &[&str]) -> Result<(String, Vec<File>)> {
    let mut files = Vec::new();
    let is_url = place.contains("://");
    let spec = if is_url {
        let sources = document.sources();
        let name = sources.first().and_then(|s| s.path.rsplit('/').next()).unwrap_or_default();
        let is_usable = is_below(name) && name.contains('.') && !taken.contains(&name);
        let name = if is_usable { name.to_owned() } else { "openapi.yaml".to_owned() };
        for (at, source) in sources.iter().enumerate() {
            let own = if at == 0 { &name } else { &source.path };
            // A document must not say where on this machine something is written.
            if !is_below(own) || at > 0 && own.contains('/') {
                return Err(Diagnostic::new("the document refers to files that are not in its own folder")
                    .help("save it with them, and name the file with --document"));
            }
            files.push(File { path: folder.join(own), text: source.text.clone() });
        }
        name
    } else {
        // It is looked for from the folder upwards.
        let path = std::path::absolute(place).unwrap_or_else(|_| place.into());
        let above = folder.parent().and_then(|above| std::path::absolute(above.join("x")).ok());
        let above = above.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let near = above.and_then(|above| path.strip_prefix(above).map(Path::to_path_buf).ok());
        near.unwrap_or(path).display().to_string()
    };
    Ok((spec, files))
}

/// Whether a path leads to something below the folder that it starts from.
fn is_below(path: &str) -> bool {
    let path = Path::new(path);
    path.file_name().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// A case that reads back what was created, if there is an operation for that.
fn read_back(contracts: &[Contract], main: usize) -> Option<String> {
    let create = &contracts[main].operation;
    let resource = resources(contracts).into_iter().find(|resource| resource.create == Some(main))?;
    let read = &contracts[resource.read].operation;
    let mut parameters = read.parameters_in(ParameterLocation::Path);
    let (parameter, None) = (parameters.next()?, parameters.next()) else { return None };
    let name = parameter.name.as_str();
    let id = [name, "id"].into_iter().find(|field| is_plain(field) && answers(create, &[field]))?;
    let sent = create.body()?.schema.json()["properties"].as_object()?;
    // What has listed values may be a state that goes on, and an instant may be written otherwise.
    let is_kept = |schema: &Json| {
        ["string", "integer", "boolean"].iter().any(|kind| schema["type"] == **kind)
            && schema["enum"].is_null()
            && schema["format"].is_null()
            && schema["writeOnly"] != true
    };
    let kept = sent.iter().filter(|(field, schema)| {
        is_kept(schema) && is_plain(field) && answers(create, &[field]) && answers(read, &[field])
    });
    let required: Vec<&str> =
        create.body()?.schema.json()["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut fields: Vec<&str> = kept.map(|(field, _)| field.as_str()).collect();
    fields.retain(|field| required.contains(field));
    fields.truncate(COMPARED);
    let same: Vec<String> =
        fields.iter().map(|field| format!(" && read.response.body.{field} == made.response.body.{field}")).collect();
    let mut text = String::new();
    let _ = writeln!(text, "- id: read-back\n  level: should");
    let _ = writeln!(text, "  text: {}", Json::from(format!("What {} answers is what {} reads.", create.id, read.id)));
    let _ = writeln!(text, "  source: TODO, where the API's documentation says so");
    let _ = writeln!(text, "  steps:\n    - made: {{ from: minimal }}");
    let _ = writeln!(
        text,
        "    - read: {{ call: {}, path: {{ {}: {{ cel: made.response.body.{id} }} }} }}",
        Json::from(read.id.as_str()),
        Json::from(name)
    );
    let _ = writeln!(text, "  given: made.accepted\n  expect: >-\n    read.accepted{}", same.concat());
    Some(text)
}

/// Whether a name can be written after a dot.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether each JSON body of a success that the document describes has this field by name.
fn answers(operation: &Operation, path: &[&str]) -> bool {
    let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
    let successes = operation.responses.iter().filter(|r| r.is_success());
    let mut schemas = successes.flat_map(|r| &r.content).filter_map(|media| media.schema.as_ref()).peekable();
    schemas.peek().is_some()
        && schemas.all(|schema| schema.reaches(&path) && schema.json()["properties"].get(&path[0]).is_some())
}

/// What was written, and what to do next.
fn told(args: &Args, place: &str, files: &[File], outlines: &[Outline], needs_token: bool) -> String {
    let mut text = String::from("Written:\n\n");
    for file in files {
        let _ = writeln!(text, "  {}", file.path.display());
    }
    let called = outlines.iter().filter(|outline| outline.requests.is_ok()).count();
    let _ = writeln!(text, "\n{called} of {} operations would be called; nothing was sent.", outlines.len());
    if files.len() == 1 {
        text += "No contract was begun: no operation creates a record without another one.\n";
    }
    let config = if args.out == Path::new(FILE) { String::new() } else { format!(" --config {}", args.out.display()) };
    let document = quoted(&document::shown(place));
    text += "\nNext:\n\n";
    if needs_token && variable(&args.token_env).is_none() {
        let _ = writeln!(text, "  export {}=…", args.token_env);
    }
    let _ = writeln!(text, "  probity plan --document {document}{config}");
    let _ = writeln!(text, "  probity check --document {document}{config}");
    if let Some(contract) = files.iter().find(|file| file.path.ends_with("contract.yaml")) {
        let folder = contract.path.parent().unwrap_or(Path::new(".")).display().to_string();
        let _ = writeln!(text, "  probity check --contract {}{config}", quoted(&folder));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn nothing_is_written_outside_of_the_folder() {
        for path in ["../x.yaml", "/etc/x.yaml", "a/../../x", "..", ".", ""] {
            assert!(!is_below(path), "{path}");
        }
        assert!(is_below("x.yaml") && is_below("a/x.yaml"));
    }
}
