//! Unique ids of derived requirements, even if the names that they are made of are equal.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::requirement::{Form, Origin, Requirement};

/// Makes the ids of derived requirements unique. Of those that share an id, the first by its pointer keeps it, and names
/// that begin with a capital come last; the others get four digits of a hash of their pointers, so that a change elsewhere
/// in the document changes no id.
pub(super) fn tell_apart(requirements: &mut [Requirement]) {
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, requirement) in requirements.iter().enumerate() {
        groups.entry(requirement.id.clone()).or_default().push(i);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort();
    for mut group in groups {
        group.sort_by_key(|i| (is_capital(&place(&requirements[*i]).0), place(&requirements[*i])));
        for i in group.into_iter().skip(1) {
            let mut digits = 4;
            let digest = hash(&place(&requirements[i]));
            let base = requirements[i].id.clone();
            let mut id = format!("{base}-{}", &digest[..digits]);
            while digits < digest.len() && requirements.iter().any(|r| r.id == id) {
                digits += 1;
                id = format!("{base}-{}", &digest[..digits]);
            }
            requirements[i].id = id;
        }
    }
}

/// Where a requirement comes from: its pointer in the document, and the part of the request, since several may refer to
/// one place.
fn place(requirement: &Requirement) -> (String, String) {
    let pointer = match &requirement.origin {
        Origin::Derived(pointer) => pointer.clone(),
        Origin::Declared(place) => place.to_string(),
    };
    let part = match &requirement.form {
        Form::Schema(part) | Form::Parameter(_, part) => part.to_string(),
        _ => String::new(),
    };
    (pointer, part)
}

/// Whether a pointer leads to a property whose name has a capital that begins no word in the midst of it, as `Name` and
/// `orderID` have.
fn is_capital(pointer: &str) -> bool {
    let (path, required) = pointer.split_once('#').unwrap_or((pointer, ""));
    let segments: Vec<&str> = path.split('/').collect();
    let mut names = segments.windows(2).filter(|pair| pair[0] == "properties").map(|pair| pair[1]).chain([required]);
    let is_upper = |c: Option<char>| c.is_some_and(|c| c.is_ascii_uppercase());
    names.any(|name| {
        let pairs = name.chars().zip(name.chars().skip(1));
        is_upper(name.chars().next())
            || pairs.into_iter().any(|(a, b)| is_upper(Some(b)) && !a.is_ascii_lowercase() && !a.is_ascii_digit())
    })
}

fn hash((pointer, part): &(String, String)) -> String {
    let digest = Sha256::digest(format!("{pointer}\n{part}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::part::Part;
    use crate::contract::requirement::Level;

    fn requirement(id: &str, pointer: &str) -> Requirement {
        Requirement {
            id: id.to_owned(),
            level: Some(Level::Must),
            text: String::new(),
            source: String::new(),
            origin: Origin::Derived(pointer.to_owned()),
            form: Form::Schema(Part::new(pointer)),
        }
    }

    #[test]
    fn the_first_pointer_keeps_the_id_whatever_the_order() {
        let ids = |pointers: &[&str]| {
            let mut all: Vec<Requirement> = pointers.iter().map(|pointer| requirement("schema/a-b", pointer)).collect();
            tell_apart(&mut all);
            let mut ids: Vec<(String, String)> = all.iter().map(|r| (place(r).0, r.id.clone())).collect();
            ids.sort();
            ids
        };
        let all = ids(&["/c", "/a", "/b"]);
        assert_eq!(all, ids(&["/a", "/b", "/c"]));
        assert_eq!(all[0].1, "schema/a-b");
        assert!(all[1].1.len() == "schema/a-b-0000".len() && all[1].1 != all[2].1, "{all:?}");
        assert_eq!(ids(&["/b", "/c"])[1], all[2], "what stands elsewhere changes no id");
        let all = ids(&["/properties/Name/type", "/properties/name/type"]);
        assert_eq!(all[1], ("/properties/name/type".to_owned(), "schema/a-b".to_owned()), "{all:?}");
    }
}
