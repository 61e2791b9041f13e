//! Hooks of the search for what a body names.

use super::Fault;
use crate::reference::asked::{Asked, OWNER, PIPELINE, STAGE};
use crate::reference::deviations::Deviations;
use crate::reference::refusal::{Break, Failure, Refusal};
use crate::reference::seed_data::{PIPELINES, USERS};
use crate::reference::world::{Pipeline, Stage, User};

/// Which of the faults that take, or break down over, an unknown id is on.
fn unknown<T>(d: &Deviations, taken: &[Fault], breaks: Fault, stand_in: T, refusal: Refusal) -> Result<T, Failure> {
    if taken.iter().any(|fault| d.fault(*fault)) {
        return Ok(stand_in);
    }
    if d.fault(breaks) { Err(Break::Error.into()) } else { Err(refusal.into()) }
}

/// The pipeline used, where one was named and found.
pub(in crate::reference) fn pipeline(
    d: &Deviations,
    default: &'static Pipeline,
    found: &'static Pipeline,
    asked: &Asked,
) -> Result<&'static Pipeline, Failure> {
    if d.fault(Fault::PipelineExplicitRefused) {
        return Err(Refusal::invalid(PIPELINE, "is not to be named").into());
    }
    let ignored =
        d.fault(Fault::PipelineIgnored) || d.fault(Fault::PipelineIgnoredWithOwner) && asked.owner_id.is_some();
    Ok(if ignored { default } else { found })
}

/// The pipeline used, where an unknown one was named.
pub(in crate::reference) fn pipeline_unknown(
    d: &Deviations,
    id: &str,
    default: &'static Pipeline,
    asked: &Asked,
    refusal: Refusal,
) -> Result<&'static Pipeline, Failure> {
    let foreign = PIPELINES.iter().find(|pipeline| pipeline.id == id);
    let is_taken = |foreign: &&Pipeline| {
        d.fault(Fault::PipelineForeignAccepted)
            || d.fault(Fault::PipelineForeignAcceptedWithStage)
                && asked.stage_id.as_ref().is_some_and(|stage| foreign.stage(stage).is_some())
    };
    if let Some(foreign) = foreign.filter(|foreign| is_taken(foreign)) {
        return Ok(foreign);
    }
    let taken = [Fault::PipelineUnknownAccepted, Fault::PipelineUnknownEchoed];
    unknown(d, &taken, Fault::PipelineUnknownBreaks, default, refusal)
}

/// The stage used, where one of the pipeline was named.
pub(in crate::reference) fn stage(
    d: &Deviations,
    pipeline: &'static Pipeline,
    first: &'static Stage,
    found: &'static Stage,
    asked: &Asked,
) -> Result<&'static Stage, Failure> {
    let is_last = pipeline.stages.last().is_some_and(|last| last.id == found.id);
    if d.fault(Fault::StageFirstOnlyAccepted) && found.id != first.id || d.fault(Fault::StageLastRefused) && is_last {
        return Err(Refusal::invalid(STAGE, "is not open to new records").into());
    }
    if d.fault(Fault::StageOffByOne) {
        let mut rest = pipeline.stages.iter().skip_while(|stage| stage.id != found.id);
        return Ok(rest.nth(1).unwrap_or(first));
    }
    let ignored = d.fault(Fault::StageIgnored)
        || d.fault(Fault::StageIgnoredWithOwner) && asked.owner_id.is_some()
        || d.fault(Fault::StageIgnoredWithValueAndDate) && asked.value.is_some() && asked.close_date.is_some();
    Ok(if ignored { first } else { found })
}

/// What is used, where a stage of another pipeline was named.
pub(in crate::reference) fn stage_elsewhere(
    d: &Deviations,
    pipeline: &'static Pipeline,
    other: &'static Pipeline,
    asked: &Asked,
    refusal: Refusal,
) -> Result<(&'static Pipeline, &'static Stage), Failure> {
    let stage = asked.stage_id.as_deref().and_then(|id| other.stage(id));
    match (stage, pipeline.stages.first()) {
        _ if asked.pipeline_id.is_none() => Err(refusal.into()),
        (Some(stage), _) if d.fault(Fault::StageOfOtherPipelineAccepted) => Ok((pipeline, stage)),
        (Some(stage), _) if d.fault(Fault::StageOfOtherPipelineMoves) => Ok((other, stage)),
        (_, Some(first)) if d.fault(Fault::StageOfOtherPipelineReplaced) => Ok((pipeline, first)),
        _ => Err(refusal.into()),
    }
}

/// The stage used, where an unknown one was named.
pub(in crate::reference) fn stage_unknown(
    d: &Deviations,
    id: &str,
    first: &'static Stage,
    refusal: Refusal,
) -> Result<&'static Stage, Failure> {
    let foreign = PIPELINES.iter().find_map(|pipeline| pipeline.stage(id));
    if let Some(foreign) = foreign.filter(|_| d.fault(Fault::StageForeignAccepted)) {
        return Ok(foreign);
    }
    let taken = [Fault::StageUnknownAccepted, Fault::StageUnknownEchoed];
    unknown(d, &taken, Fault::StageUnknownBreaks, first, refusal)
}

/// The owner used, where a user of the book was named.
pub(in crate::reference) fn owner(
    d: &Deviations,
    caller: &'static User,
    found: &'static User,
    asked: &Asked,
) -> Result<&'static User, Failure> {
    if d.fault(Fault::OwnerColleagueRefused) && found.id != caller.id {
        return Err(Refusal::invalid(OWNER, "is somebody else").into());
    }
    let ignored =
        d.fault(Fault::OwnerIgnored) || d.fault(Fault::OwnerIgnoredWithPipeline) && asked.pipeline_id.is_some();
    Ok(if ignored { caller } else { found })
}

/// The owner used, where an unknown one was named.
pub(in crate::reference) fn owner_unknown(
    d: &Deviations,
    id: &str,
    caller: &'static User,
    refusal: Refusal,
) -> Result<&'static User, Failure> {
    let foreign = USERS.iter().find(|user| user.id == id);
    if let Some(foreign) = foreign.filter(|_| d.fault(Fault::OwnerForeignAccepted)) {
        return Ok(foreign);
    }
    let taken = [Fault::OwnerUnknownAccepted, Fault::OwnerUnknownEchoed];
    unknown(d, &taken, Fault::OwnerUnknownBreaks, caller, refusal)
}
