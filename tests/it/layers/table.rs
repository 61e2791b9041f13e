//! The table of layers in ARCHITECTURE.md.

/// Modules from the bottom up, and what each may do beyond the others.
pub(super) struct Table(Vec<(String, Vec<String>)>);

impl Table {
    pub(super) fn of_architecture() -> Self {
        Self::read(include_str!("../../../ARCHITECTURE.md"))
    }

    /// Reads the first table whose columns are `module`, `job` and `may`.
    pub(super) fn read(text: &str) -> Self {
        let rows = text.lines().skip_while(|line| *line != "| module | job | may |").skip(2);
        let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [module, _, may] = cells.as_slice() else { panic!("a row of three cells: {line}") };
            let may = may.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect();
            (module.trim_matches('`').to_owned(), may)
        });
        let table = Self(rows.collect());
        assert!(!table.0.is_empty(), "a table of layers");
        table
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(module, _)| module.as_str())
    }

    /// How high a module stands.
    pub(super) fn rank(&self, module: &str) -> Option<usize> {
        self.0.iter().position(|(name, _)| name == module)
    }

    pub(super) fn allows(&self, module: &str, privilege: &str) -> bool {
        self.0.iter().any(|(name, may)| name == module && may.iter().any(|word| word == privilege))
    }
}
