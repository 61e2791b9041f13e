//! Hooks of the defaults.

use super::Fault;
use super::memory::lock;
use crate::reference::asked::Asked;
use crate::reference::asked::CloseDate;
use crate::reference::find;
use crate::reference::record::Record;
use crate::reference::seed_data;
use crate::reference::server_state::ServerState;
use crate::reference::world::{Household, Kind, Pipeline, Stage, User};
use chrono::TimeDelta;

/// The pipeline used, where none was named.
pub(in crate::reference) fn pipeline(
    server: &ServerState,
    household: Option<&'static Household>,
    default: &'static Pipeline,
) -> &'static Pipeline {
    let d = &server.deviations;
    let book = default.book_id;
    let wrong = if d.fault(Fault::DefaultPipelineFirstOfBook) {
        find::pipelines(book).next()
    } else if d.fault(Fault::DefaultPipelineFirstOfType) {
        find::pipelines(book).find(|pipeline| pipeline.kind == default.kind)
    } else if d.fault(Fault::DefaultPipelineAlwaysProspect) {
        find::default_pipeline(book, Kind::Prospect)
    } else if d.fault(Fault::DefaultPipelineAlwaysClient) {
        find::default_pipeline(book, Kind::Client)
    } else if d.fault(Fault::DefaultPipelineRemembered) {
        household.and_then(|household| lock(&server.memory.named_pipelines).get(household.id).copied())
    } else {
        None
    };
    wrong.unwrap_or(default)
}

/// The stage used, where none was named.
pub(in crate::reference) fn stage(
    server: &ServerState,
    default: &'static Pipeline,
    pipeline: &'static Pipeline,
    first: &'static Stage,
    asked: &Asked,
) -> &'static Stage {
    let d = &server.deviations;
    let stages = pipeline.stages;
    let is_named = asked.pipeline_id.is_some();
    let wrong = if d.fault(Fault::DefaultStageLast) || d.fault(Fault::DefaultStageLastOfNamed) && is_named {
        stages.last()
    } else if d.fault(Fault::DefaultStageSecond) {
        stages.get(1)
    } else if d.fault(Fault::DefaultStageById) {
        stages.iter().min_by_key(|stage| stage.id)
    } else if d.fault(Fault::DefaultStageByName) {
        stages.iter().min_by_key(|stage| stage.name)
    } else if d.fault(Fault::DefaultStageOfDefaultPipeline) {
        default.stages.first()
    } else if d.fault(Fault::DefaultStageRemembered) {
        lock(&server.memory.named_stages).get(pipeline.id).copied()
    } else {
        None
    };
    wrong.unwrap_or(first)
}

/// The owner used, where none was named.
pub(in crate::reference) fn owner(
    server: &ServerState,
    caller: &'static User,
    household: Option<&'static Household>,
) -> &'static User {
    let d = &server.deviations;
    let wrong = if d.fault(Fault::DefaultOwnerOfHousehold) {
        household.map(|household| household.advisor)
    } else if d.fault(Fault::DefaultOwnerFirstUser) {
        find::users(caller.book_id).next()
    } else if d.fault(Fault::DefaultOwnerAlwaysOne) {
        Some(&seed_data::CALLER)
    } else if d.fault(Fault::DefaultOwnerRemembered) {
        *lock(&server.memory.named_owner)
    } else {
        None
    };
    wrong.unwrap_or(caller)
}

pub(in crate::reference) fn remember_pipeline(
    server: &ServerState,
    household: Option<&'static Household>,
    pipeline: &'static Pipeline,
) {
    if server.deviations.fault(Fault::DefaultPipelineRemembered)
        && let Some(household) = household
    {
        lock(&server.memory.named_pipelines).insert(household.id, pipeline);
    }
}

pub(in crate::reference) fn remember_stage(server: &ServerState, pipeline: &'static Pipeline, stage: &'static Stage) {
    if server.deviations.fault(Fault::DefaultStageRemembered) {
        lock(&server.memory.named_stages).insert(pipeline.id, stage);
    }
}

pub(in crate::reference) fn remember_owner(server: &ServerState, owner: &'static User) {
    if server.deviations.fault(Fault::DefaultOwnerRemembered) {
        *lock(&server.memory.named_owner) = Some(owner);
    }
}

/// What a record gets for the values that were left out.
pub(in crate::reference) fn record(server: &ServerState, record: &mut Record) {
    let d = &server.deviations;
    let asked = &mut record.asked;
    if d.fault(Fault::DefaultValueZero) {
        asked.value = asked.value.or(Some(0));
    }
    if d.fault(Fault::DefaultProbabilityMinus1) {
        asked.probability = asked.probability.or(Some(-1));
    }
    if d.fault(Fault::DefaultProbabilityRemembered) {
        let mut last = lock(&server.memory.last_probability);
        *last = asked.probability.or(*last);
        asked.probability = *last;
    }
    if d.fault(Fault::DefaultCloseDateInMonth) && asked.close_date.is_none() {
        let instant = (record.created_at + TimeDelta::days(30)).fixed_offset();
        asked.close_date = Some(CloseDate { instant, text: instant.to_rfc3339() });
    }
    if d.fault(Fault::ValueCarriedOver) {
        let before = std::mem::replace(&mut *lock(&server.memory.last_value), asked.value);
        asked.value = asked.value.or(before);
    }
}
