//! What is told while a run goes on.

use super::ledger::Created;
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
    /// A request was answered, or given up; and what it is judged as.
    Exchange(&'a Exchange, Purpose),
    /// A record was created, or may have been.
    Created(&'a Created),
    /// The smallest failing requests are being looked for.
    Shrinking,
}

/// Someone who is told.
pub trait Sink: Send {
    /// Takes an event.
    fn event(&mut self, event: Event<'_>);
}

/// Tells several, in their order.
pub struct Fanout<'a>(pub Vec<Box<dyn Sink + 'a>>);

impl Sink for Fanout<'_> {
    fn event(&mut self, event: Event<'_>) {
        for sink in &mut self.0 {
            match &event {
                Event::Planned { requests } => sink.event(Event::Planned { requests: *requests }),
                Event::Exchange(exchange, purpose) => sink.event(Event::Exchange(exchange, *purpose)),
                Event::Created(created) => sink.event(Event::Created(created)),
                Event::Shrinking => sink.event(Event::Shrinking),
            }
        }
    }
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Nobody;

impl Sink for Nobody {
    fn event(&mut self, _: Event<'_>) {}
}
