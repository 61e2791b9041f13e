//! The faults: one table, and for each part of the flow a file with the hooks that it passes through. A hook takes what
//! the flow has at that point and gives back what a server with that fault would have; without a fault it changes
//! nothing.

pub(super) mod authentication;
pub(super) mod close_date;
pub(super) mod combined;
pub(super) mod defaults;
pub(super) mod echo;
pub(super) mod errors;
pub(super) mod header_case;
pub(super) mod household;
pub(super) mod idempotency;
pub(super) mod memory;
pub(super) mod read;
pub(super) mod references;
pub(super) mod request;
pub(super) mod robustness;
pub(super) mod shape;
pub(super) mod state;
pub(super) mod stored;
mod table;
mod text;
pub(super) mod update;

pub use table::Fault;

impl Fault {
    /// Whether it is about what becomes of a record after its creation was answered.
    pub fn is_later(self) -> bool {
        ["stored", "read", "update"].contains(&self.area())
    }

    /// Whether it shows only in some requests, or only when requests meet.
    pub const fn intermittent(self) -> bool {
        self.entry().mark.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;
    use crate::reference::deviation_table::tests::check;

    #[test]
    fn the_table_holds_to_its_conventions() {
        check(Fault::ALL.iter().map(|fault| (format!("{fault:?}"), fault.name(), fault.text())));
    }

    #[test]
    fn a_name_leads_to_its_fault() {
        for &fault in Fault::ALL {
            assert_eq!(Fault::named(fault.name()), Some(fault));
        }
        assert_eq!(Fault::named("key-races"), None);
        assert!(Fault::KeyRace.intermittent() && !Fault::KeyIgnored.intermittent());
    }
}
