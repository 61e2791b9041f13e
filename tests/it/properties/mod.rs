//! Laws of the engine, over schemas, texts, answers and times that chance makes up.
//!
//! `PROPTEST_CASES` sets how many cases each law is tried on.

mod bench;
mod expressions;
mod generation;
mod judging;
mod loading;
mod responses;
mod schema;
mod seeds;
mod time;
