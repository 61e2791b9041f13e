//! Which pipeline, stage and owner a record gets: those that the body names, or else the defaults.

use super::Variation;
use super::asked::{Asked, OWNER, PIPELINE, STAGE};
use super::faults::{defaults as default_hook, references as hook};
use super::find;
use super::refusal::{Failure, Refusal};
use super::world::{Household, Kind, Pipeline, Stage, User};
use crate::reference::server_state::ServerState;
use axum::http::StatusCode;

/// What a record refers to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved {
    pub(super) pipeline: &'static Pipeline,
    pub(super) stage: &'static Stage,
    pub(super) owner: &'static User,
}

/// Looks up what a body names; `caller` is the user of the token.
pub(super) fn resolve(
    server: &ServerState,
    caller: &'static User,
    household: Option<&'static Household>,
    asked: &Asked,
) -> Result<Resolved, Failure> {
    // Only a faulty server gets here without a household.
    let kind = household.map_or(Kind::Prospect, |household| household.kind);
    let default = find::default_pipeline(caller.book_id, kind).ok_or_else(|| unknown(server, PIPELINE))?;
    let pipeline = pipeline(server, caller, household, default, asked)?;
    let (pipeline, stage) = stage(server, default, pipeline, asked)?;
    let owner = owner(server, caller, household, asked)?;
    Ok(Resolved { pipeline, stage, owner })
}

fn pipeline(
    server: &ServerState,
    caller: &'static User,
    household: Option<&'static Household>,
    default: &'static Pipeline,
    asked: &Asked,
) -> Result<&'static Pipeline, Failure> {
    let d = &server.deviations;
    match (&asked.pipeline_id, &asked.stage_id) {
        (Some(id), _) => {
            let found = match find::pipeline(caller.book_id, id) {
                Some(found) => hook::pipeline(d, default, found, asked)?,
                None => hook::pipeline_unknown(d, id, default, asked, unknown(server, PIPELINE))?,
            };
            if d.variation(Variation::OtherTypesRefused) && found.kind != default.kind {
                return Err(mismatch(server, PIPELINE, "is of another type than the household").into());
            }
            default_hook::remember_pipeline(server, household, found);
            Ok(found)
        }
        (None, Some(stage_id)) if d.variation(Variation::StageChoosesPipeline) => {
            Ok(find::pipeline_of_stage(caller.book_id, stage_id).unwrap_or(default))
        }
        (None, _) => Ok(default_hook::pipeline(server, household, default)),
    }
}

fn stage(
    server: &ServerState,
    default: &'static Pipeline,
    pipeline: &'static Pipeline,
    asked: &Asked,
) -> Result<(&'static Pipeline, &'static Stage), Failure> {
    let d = &server.deviations;
    let first = pipeline.stages.first().ok_or_else(|| unknown(server, STAGE))?;
    let Some(id) = &asked.stage_id else {
        return Ok((pipeline, default_hook::stage(server, default, pipeline, first, asked)));
    };
    if let Some(found) = pipeline.stage(id) {
        default_hook::remember_stage(server, pipeline, found);
        return Ok((pipeline, hook::stage(d, pipeline, first, found, asked)?));
    }
    match find::pipeline_of_stage(pipeline.book_id, id) {
        Some(other) => {
            let refusal = mismatch(server, STAGE, "is a stage of another pipeline");
            hook::stage_elsewhere(d, pipeline, other, asked, refusal)
        }
        None => Ok((pipeline, hook::stage_unknown(d, id, first, unknown(server, STAGE))?)),
    }
}

fn owner(
    server: &ServerState,
    caller: &'static User,
    household: Option<&'static Household>,
    asked: &Asked,
) -> Result<&'static User, Failure> {
    let d = &server.deviations;
    let Some(id) = &asked.owner_id else {
        return Ok(default_hook::owner(server, caller, household));
    };
    match find::user(caller.book_id, id) {
        Some(found) => {
            default_hook::remember_owner(server, found);
            hook::owner(d, caller, found, asked)
        }
        None => hook::owner_unknown(d, id, caller, unknown(server, OWNER)),
    }
}

fn unknown(server: &ServerState, field: &'static str) -> Refusal {
    let refusal = Refusal::unknown(field);
    let is_404 = server.deviations.variation(Variation::UnknownReference404);
    Refusal { status: if is_404 { StatusCode::NOT_FOUND } else { refusal.status }, ..refusal }
}

fn mismatch(server: &ServerState, field: &'static str, problem: &str) -> Refusal {
    let refusal = Refusal::mismatch(field, problem);
    let is_409 = server.deviations.variation(Variation::Mismatch409);
    Refusal { status: if is_409 { StatusCode::CONFLICT } else { refusal.status }, ..refusal }
}
