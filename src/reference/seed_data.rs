//! The data of the world: names and ids are made up, and ids say nothing.

use crate::reference::world::{Household, Kind, Pipeline, Stage, Token, User};

const BOOK: &str = "bk_m4Tz81Qe";
const OTHER_BOOK: &str = "bk_c9Wd27Ru";

const fn user(
    id: &'static str,
    email: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    book_id: &'static str,
) -> User {
    User { id, email, first_name, last_name, book_id }
}

static FOUNDER: User = user("us_b1Kx40", "founder@harbour.example", "Ines", "Okafor", BOOK);
static ADVISOR: User = user("us_t8Rm62", "advisor@harbour.example", "Tomas", "Lindqvist", BOOK);
pub(super) static CALLER: User = user("us_k5Qd93", "caller@harbour.example", "Mara", "Santos", BOOK);
pub(super) static COLLEAGUE: User = user("us_e2Vn17", "colleague@harbour.example", "Jonas", "Petit", BOOK);
static READER: User = user("us_w7Hc58", "reader@harbour.example", "Aiko", "Brandt", BOOK);
static STRANGER: User = user("us_f3Zs06", "stranger@meadow.example", "Noor", "Castell", OTHER_BOOK);

/// The founder is first, and nobody's default.
pub(super) static USERS: [&User; 6] = [&FOUNDER, &ADVISOR, &CALLER, &COLLEAGUE, &READER, &STRANGER];

const fn token(variable: &'static str, secret: &'static str, user: &'static User, may_write: bool) -> Token {
    Token { secret, variable, user, may_write }
}

pub(super) static TOKENS: [Token; 4] = [
    token("PROBITY_TOKEN", "sandbox_caller_Gq7tLx2vNw9sRb4k", &CALLER, true),
    token("PROBITY_TOKEN_COLLEAGUE", "sandbox_colleague_Yd3mHz8cPf5jTe1u", &COLLEAGUE, true),
    token("PROBITY_TOKEN_READ_ONLY", "sandbox_reader_Kn6wBs4gVr9xMa2q", &READER, false),
    token("PROBITY_TOKEN_STRANGER", "sandbox_stranger_Cj8pDt5yLh3zQe7f", &STRANGER, true),
];

const fn stage(id: &'static str, name: &'static str, probability: i64) -> Stage {
    Stage { id, name, probability }
}

const fn pipeline(
    id: &'static str,
    name: &'static str,
    kind: Kind,
    is_default: bool,
    book_id: &'static str,
    stages: &'static [Stage],
) -> Pipeline {
    Pipeline { id, name, kind, is_default, book_id, stages }
}

/// In each, the first by id, the first by name, the second and the last are four stages, none of them the first.
pub(super) static PIPELINES: [Pipeline; 6] = [
    pipeline(
        "pl_r6Jw",
        "Referrals",
        Kind::Prospect,
        false,
        BOOK,
        &[
            stage("st_n4Xc", "Introduced", 15),
            stage("st_s1Lp", "Met", 30),
            stage("st_b8Gv", "Offer sent", 55),
            stage("st_u3Ky", "Cooling off", 65),
            stage("st_q9Tf", "Signed", 95),
        ],
    ),
    pipeline(
        "pl_c3Yb",
        "Annual reviews",
        Kind::Client,
        false,
        BOOK,
        &[
            stage("st_m7Dh", "Scheduled", 20),
            stage("st_x2Rz", "Prepared", 45),
            stage("st_k5Ws", "Follow-up", 70),
            stage("st_a6Nj", "Waiting", 80),
            stage("st_z4Qe", "Held", 90),
        ],
    ),
    pipeline(
        "pl_w9Hk",
        "New families",
        Kind::Prospect,
        true,
        BOOK,
        &[
            stage("st_t5Bm", "Lead", 10),
            stage("st_y8Fd", "Qualified", 25),
            stage("st_c2Vx", "Proposal", 50),
            stage("st_p6Jr", "Agreement", 75),
            stage("st_w1Lg", "Won", 100),
        ],
    ),
    pipeline(
        "pl_f7Nz",
        "Growing families",
        Kind::Client,
        true,
        BOOK,
        &[
            stage("st_h3Ty", "Idea", 5),
            stage("st_v9Kc", "Planned", 35),
            stage("st_j4Pq", "Discussed", 60),
            stage("st_d8Sw", "Papers out", 85),
            stage("st_r2Mb", "Invested", 100),
        ],
    ),
    pipeline(
        "pl_k2Gt",
        "Walk-ins",
        Kind::Prospect,
        true,
        OTHER_BOOK,
        &[stage("st_g6Zd", "Seen", 10), stage("st_e5Hn", "Called", 40)],
    ),
    pipeline(
        "pl_b5Vs",
        "Regulars",
        Kind::Client,
        true,
        OTHER_BOOK,
        &[stage("st_l9Cx", "Open", 20), stage("st_f1Wr", "Done", 90)],
    ),
];

const fn household(id: &'static str, kind: Kind, book_id: &'static str, advisor: &'static User) -> Household {
    Household { id, kind, book_id, advisor }
}

/// The first of the book is not the one that settings provide first.
pub(super) static HOUSEHOLDS: [Household; 6] = [
    household("hh_z8Lw35", Kind::Client, BOOK, &ADVISOR),
    household("hh_p2Kd71", Kind::Prospect, BOOK, &ADVISOR),
    household("hh_g5Xn94", Kind::Client, BOOK, &ADVISOR),
    household("hh_d7Qt20", Kind::Prospect, BOOK, &ADVISOR),
    household("hh_v3Rb68", Kind::Prospect, OTHER_BOOK, &STRANGER),
    household("hh_j9Ms42", Kind::Client, OTHER_BOOK, &STRANGER),
];

#[cfg(test)]
mod tests {
    use super::{BOOK, HOUSEHOLDS, PIPELINES};
    use crate::reference::find;
    use crate::reference::world::Kind;
    use std::collections::HashSet;

    #[test]
    fn no_wrong_default_is_right_by_accident() {
        for pipeline in PIPELINES.iter().filter(|pipeline| pipeline.book_id == BOOK) {
            let stages = pipeline.stages;
            let candidates = [
                stages.first().unwrap().id,
                stages.get(1).unwrap().id,
                stages.last().unwrap().id,
                stages.iter().min_by_key(|stage| stage.id).unwrap().id,
                stages.iter().min_by_key(|stage| stage.name).unwrap().id,
            ];
            assert_eq!(candidates.iter().collect::<HashSet<_>>().len(), candidates.len(), "{}", pipeline.name);
        }
        for kind in [Kind::Prospect, Kind::Client] {
            let default = find::default_pipeline(BOOK, kind).unwrap();
            assert_ne!(find::pipelines(BOOK).next().unwrap().id, default.id);
            assert_ne!(find::pipelines(BOOK).find(|pipeline| pipeline.kind == kind).unwrap().id, default.id);
            assert!(HOUSEHOLDS.iter().any(|household| household.book_id == BOOK && household.kind == kind));
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids = HashSet::new();
        for pipeline in &PIPELINES {
            assert!(ids.insert(pipeline.id));
            assert!(pipeline.stages.iter().all(|stage| ids.insert(stage.id)));
        }
        assert!(HOUSEHOLDS.iter().all(|household| ids.insert(household.id)));
    }
}
