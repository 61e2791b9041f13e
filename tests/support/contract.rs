//! Copies of the shipped contract, to be changed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A copy of `spec/` and `cases/` in a folder of its own.
pub struct Copy {
    folder: TempDir,
}

impl Copy {
    /// The contract as it is shipped.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for from in ["spec", "cases/create-opportunity"] {
            let to = folder.path().join(from);
            std::fs::create_dir_all(&to).expect("a folder");
            for entry in std::fs::read_dir(root.join(from)).expect("a folder") {
                let path = entry.expect("an entry").path();
                std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
            }
        }
        Self { folder }
    }

    /// The contract's folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("cases/create-opportunity")
    }

    /// Puts a text in the place of another, in `spec/…` or in a file of cases.
    pub fn change(self, file: &str, from: &str, to: &str) -> Self {
        let path = self.file(file);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{file} has no {from:?}: the test must follow the contract");
        std::fs::write(path, text.replacen(from, to, 1)).expect("a file");
        self
    }

    /// Writes a file whole.
    pub fn write(self, file: &str, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.file(file), text).expect("a file");
        self
    }

    /// Adds cases to a file of cases.
    pub fn append(self, file: &str, text: &str) -> Self {
        let path = self.file(file);
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, format!("{old}\n{text}")).expect("a file");
        self
    }

    fn file(&self, file: &str) -> PathBuf {
        if file.starts_with("spec/") { self.folder.path().join(file) } else { self.path().join(file) }
    }
}
