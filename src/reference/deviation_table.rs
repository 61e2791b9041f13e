//! The macro behind the two tables, of faults and of variations: one line for each entry, an enum as the result, so that
//! a hook can only ask for what the table holds.

/// One line of a table.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) area: &'static str,
    pub(super) text: &'static str,
    /// The word in brackets after the name, if any.
    pub(super) mark: Option<&'static str>,
}

/// Makes an enum of a table: areas, and in each area lines of `Variant "name" "Sentence.";`, where a name may be
/// followed by a `[mark]`.
macro_rules! deviation_table {
    (
        $(#[$meta:meta])*
        $Type:ident {
            $( $area:literal { $( $variant:ident $name:literal $([$mark:ident])? $text:literal; )* } )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Type {
            $( $( #[doc = $text] $variant, )* )*
        }

        impl $Type {
            /// Every entry, in the order of the table.
            pub const ALL: &'static [$Type] = &[ $( $( $Type::$variant, )* )* ];

            const ENTRIES: &'static [$crate::reference::deviation_table::Entry] = &[
                $( $( $crate::reference::deviation_table::Entry {
                    name: $name,
                    area: $area,
                    text: $text,
                    mark: $crate::reference::deviation_table::deviation_table!(@mark $($mark)?),
                }, )* )*
            ];

            /// The name, in kebab case: what is typed and printed.
            pub const fn name(self) -> &'static str {
                self.entry().name
            }

            /// The part of the contract, or of the exchange, that it touches.
            pub const fn area(self) -> &'static str {
                self.entry().area
            }

            /// What it does, in one sentence.
            pub const fn text(self) -> &'static str {
                self.entry().text
            }

            /// Its line of the table.
            pub(in crate::reference) const fn entry(self) -> &'static $crate::reference::deviation_table::Entry {
                &Self::ENTRIES[self as usize]
            }

            /// The entry of that name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|entry| entry.name() == name)
            }
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
    (@mark) => { None };
    (@mark $mark:ident) => { Some(stringify!($mark)) };
}

pub(super) use deviation_table;

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashSet;

    /// `CloseDateIn2038` → `close-date-in-2038`.
    fn kebab(variant: &str) -> String {
        let mut name = String::new();
        let mut last = '-';
        for c in variant.chars() {
            if last != '-' && (c.is_ascii_uppercase() || c.is_ascii_digit() && !last.is_ascii_digit()) {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
            last = c;
        }
        name
    }

    /// Holds a table to the conventions: the name is that of the variant, and the text one sentence, used once.
    pub(in crate::reference) fn check(entries: impl Iterator<Item = (String, &'static str, &'static str)>) {
        let (mut names, mut texts) = (HashSet::new(), HashSet::new());
        for (variant, name, text) in entries {
            assert_eq!(name, kebab(&variant));
            assert!(names.insert(name), "{name} stands twice");
            assert!(texts.insert(text), "the text of {name} stands twice");
            assert!(text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()), "{name}: {text}");
            assert!(text.ends_with('.') && !text.contains(". "), "{name}: {text}");
        }
    }
}
