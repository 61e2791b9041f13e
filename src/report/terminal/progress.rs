//! A bar that shows how far a run is, on stderr, where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::event::{Event, Sink};

/// The bar's parts. Without colours: it is gone when the run is over.
const TEMPLATE: &str = "{bar:30} {pos}/{len} requests, {elapsed} {msg}";
const REMOVING: &str = "{bar:30} {pos}/{len} records removed or looked for, {elapsed}, about {eta} to go";

/// A bar that shows how far a run is. It disappears when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Whether it says what is waited for.
    waits: bool,
}

/// A bar on stderr; none if it is not wanted, or if stderr is no terminal.
fn bar(wanted: bool) -> ProgressBar {
    match wanted {
        // indicatif itself is silent where there is no terminal.
        true => ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
        false => ProgressBar::hidden(),
    }
}

impl Progress {
    /// A bar on stderr; none if it is not wanted, or if stderr is no terminal.
    pub fn new(wanted: bool) -> Self {
        Self { bar: bar(wanted), waits: false }
    }
}

/// A bar that shows how far a clean-up is. It disappears when it is finished or dropped.
#[derive(Debug)]
pub struct Removing(ProgressBar);

impl Removing {
    /// A bar on stderr; none if it is not wanted, or if stderr is no terminal.
    pub fn new(wanted: bool) -> Self {
        let bar = bar(wanted);
        if let Ok(style) = ProgressStyle::with_template(REMOVING) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// So many are done of so many.
    pub fn show(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }

    /// Ends it.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Removing {
    fn drop(&mut self) {
        self.finish();
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
                if std::mem::take(&mut self.waits) {
                    self.bar.set_message("");
                }
                self.bar.inc(1);
                if self.bar.length().is_some_and(|l| l < self.bar.position()) {
                    self.bar.set_length(self.bar.position());
                }
            }
            Event::Waiting(what, time) => {
                self.waits = true;
                self.bar.set_message(format!("waiting {} s: {what}", time.as_secs().max(1)));
            }
            Event::Intended(_) | Event::Settled(_) | Event::Created(_) => {}
            Event::Shrinking => self.bar.set_message("looking for smaller requests that fail"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
