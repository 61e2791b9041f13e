//! What is reported while a run goes on.

use std::time::Duration;

use super::ledger::{Created, Intended};
use crate::exchange::Exchange;
use crate::judge::bind::Purpose;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run is about to begin.
    Planned {
        /// How many requests it will take on a server that passes.
        requests: u64,
    },
    /// Requests are about to leave together that may create something.
    Intended(&'a [Intended<'a>]),
    /// An intended request has certainly created no unknown record.
    Settled(u64),
    /// A request was answered, or was given up; with what it is judged as.
    Exchange(&'a Exchange, Purpose),
    /// A record was created, or may have been.
    Created(&'a Created),
    /// Nothing is sent for this long, and why.
    Waiting(&'a str, Duration),
    /// The smallest failing requests are being looked for.
    Shrinking,
}

/// A receiver of events.
pub trait Sink: Send {
    /// Receives an event.
    fn event(&mut self, event: Event<'_>);
}

/// Passes events to several sinks, in their order.
pub struct Fanout<'a>(pub Vec<Box<dyn Sink + 'a>>);

impl Sink for Fanout<'_> {
    fn event(&mut self, event: Event<'_>) {
        for sink in &mut self.0 {
            match &event {
                Event::Planned { requests } => sink.event(Event::Planned { requests: *requests }),
                Event::Exchange(exchange, purpose) => sink.event(Event::Exchange(exchange, *purpose)),
                Event::Intended(all) => sink.event(Event::Intended(all)),
                Event::Settled(number) => sink.event(Event::Settled(*number)),
                Event::Created(created) => sink.event(Event::Created(created)),
                Event::Waiting(why, time) => sink.event(Event::Waiting(why, *time)),
                Event::Shrinking => sink.event(Event::Shrinking),
            }
        }
    }
}

/// Drops all events.
#[derive(Debug, Default)]
pub struct Nobody;

impl Sink for Nobody {
    fn event(&mut self, _: Event<'_>) {}
}
