//! The examples of CI: what they say is there, and the commands that they name do what they are there for.

use serde_json::Value;

use crate::support::probity;

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

/// Every command of probity in a tree, in order.
fn commands(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            out.extend(text.lines().filter_map(|line| line.trim().strip_prefix("probity ").map(str::to_owned)));
        }
        Value::Array(items) => items.iter().for_each(|item| commands(item, out)),
        Value::Object(map) => map.values().for_each(|item| commands(item, out)),
        _ => {}
    }
}

#[test]
fn the_jobs_of_github_work_one_after_another() {
    let workflow = yaml(include_str!("../../examples/ci/github.yml"));
    let parts = &workflow["jobs"]["part"]["strategy"]["matrix"]["part"];
    let mut check = Vec::new();
    commands(&workflow["jobs"]["part"]["steps"], &mut check);
    let [check] = &check[..] else { panic!("{check:?}") };
    let (check, tolerated) = check.split_once(" || ").expect("codes that are put up with");
    assert_eq!(tolerated, "[ $? = 1 ] || [ $? = 4 ]");
    let ran: Vec<_> = parts
        .as_array()
        .expect("parts")
        .iter()
        .map(|part| {
            let words = check.replace("${{ matrix.part }}", &part.to_string()).replace("$SEED", "7");
            (part.to_string(), probity(&format!("{words} --fault value-in-cents")).run())
        })
        .collect();
    let mut merge = Vec::new();
    commands(&workflow["jobs"]["verdict"]["steps"], &mut merge);
    let [merge] = &merge[..] else { panic!("{merge:?}") };
    let mut merge = probity(merge).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "summary.md");
    for (part, ran) in &ran {
        for (path, bytes) in ran.files() {
            let path = path.strip_prefix(ran.folder()).expect("a file of its own").to_owned();
            assert!(path.starts_with(format!("part-{part}")), "{path:?}");
            merge = merge.file(path.to_str().expect("text"), bytes);
        }
    }
    let merged = merge.exits(1);
    merged.says("::error ").verdict("response/value-in-dollars", "fail");
    merged.holds(merged.read("summary.md").contains("response/value-in-dollars"), "the summary tells it");
    let uploaded = workflow["jobs"]["verdict"]["steps"].as_array().expect("steps").iter();
    let sarif = uploaded.filter_map(|step| step["with"]["sarif_file"].as_str()).next().expect("a file");
    merged.read(sarif);
}

#[test]
fn the_job_of_gitlab_works() {
    let pipeline = yaml(include_str!("../../examples/ci/gitlab.yml"));
    let mut check = Vec::new();
    commands(&pipeline["contract"]["script"], &mut check);
    let [check] = &check[..] else { panic!("{check:?}") };
    let ran = probity(&format!("{check} --only close-date/leap-day")).exits(0);
    let junit = pipeline["contract"]["artifacts"]["reports"]["junit"].as_str().expect("a file");
    quick_junit::Report::deserialize_from_str(&ran.read(junit)).expect("JUnit");
}

#[test]
fn the_container_runs_without_root() {
    let file = include_str!("../../examples/ci/Containerfile");
    let line = |word: &str| {
        let found = file.lines().rev().find_map(|line| line.strip_prefix(word));
        found.unwrap_or_else(|| panic!("there is no {word}")).trim()
    };
    assert_eq!(line("USER"), "65532:65532");
    assert_eq!(line("VOLUME"), format!("{}/reports", line("WORKDIR")), "where reports are written by default");
    let words: Vec<String> = serde_json::from_str(line("CMD")).expect("JSON");
    probity(&format!("{} --only close-date/leap-day", words.join(" "))).exits(0);
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(file.contains(&format!("rust:{rust}-slim")), "it is built with the oldest Rust that the project takes");
}

#[test]
fn the_action_runs_the_words_that_it_is_given() {
    let action = yaml(include_str!("../../action.yml"));
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let run = steps.iter().find(|step| step["id"] == "run").expect("the step that checks");
    let script = run["run"].as_str().expect("a script").replace("$RUNNER_TEMP/probity/bin", "$BIN");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_probity")).parent().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    let ran = |words: &str| {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-eo", "pipefail", "-c", &script]).current_dir(folder.path()).env("BIN", bin).env("ARGS", words);
        bash.env_remove("PROBITY_TOKEN").output().expect("bash").status
    };
    assert!(ran(action["inputs"]["args"]["default"].as_str().expect("words")).success());
    assert!(ran("check --quick --only 'response/*'").success());
    assert!(!ran("check --only response/value-in-dollars --fault value-in-cents").success());
    assert!(!ran("list; touch told").success() && !folder.path().join("told").exists(), "words are no script");
    for step in steps.iter().filter(|step| step["run"].is_string()) {
        assert!(
            step["shell"] == "bash" && !step["run"].to_string().contains("${{"),
            "inputs come as variables: {step}"
        );
    }
}

#[test]
fn the_hooks_of_pre_commit_work() {
    let hooks = yaml(include_str!("../../.pre-commit-hooks.yaml"));
    for hook in hooks.as_array().expect("hooks") {
        let entry = hook["entry"].as_str().and_then(|entry| entry.strip_prefix("probity ")).expect("a command");
        probity(entry).exits(0);
        assert!(hook["language"] == "rust" && hook["pass_filenames"] == false, "{hook}");
    }
}

#[test]
fn pages_for_man() {
    let ran = probity("man pages").exits(0);
    for page in ["probity.1", "probity-check.1", "probity-merge.1"] {
        let text = ran.read(&format!("pages/{page}"));
        ran.holds(text.contains(".TH ") && text.contains("SYNOPSIS"), page);
    }
    let help = probity("--help").exits(0);
    help.holds(!help.stdout.contains("\n  man "), "it is for those who package, not for everyone");
}
