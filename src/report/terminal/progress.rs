//! A bar that shows how far a run is, on stderr, where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::event::{Event, Sink};

/// The bar's parts. Without colours: it is gone when the run is over.
const TEMPLATE: &str = "{bar:30} {pos}/{len} requests, {elapsed} {msg}";

/// A bar that shows how far a run is. It disappears when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar on stderr; none if it is not wanted, or if stderr is no terminal.
    pub fn new(wanted: bool) -> Self {
        let bar = if wanted {
            // indicatif itself is silent where there is no terminal.
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        Self { bar }
    }
}

impl Sink for Progress {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Planned { requests } => {
                self.bar.set_length(requests);
                if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                    self.bar.set_style(style);
                }
                // It lives on while all requests wait.
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            Event::Exchange(..) => {
                self.bar.inc(1);
                if self.bar.length().is_some_and(|l| l < self.bar.position()) {
                    self.bar.set_length(self.bar.position());
                }
            }
            Event::Created(_) => {}
            Event::Shrinking => self.bar.set_message("looking for smaller requests that fail"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
