//! The flags of the settings, made from their declarations.

use std::collections::BTreeMap;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::settings::{Group, KEYS, Key};

pub(crate) const TARGET: u8 = Group::Target as u8;
pub(crate) const CONNECTION: u8 = Group::Connection as u8;
pub(crate) const BUDGET: u8 = Group::Budget as u8;

/// What was typed for the settings of one group, by flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags<const GROUP: u8>(pub BTreeMap<&'static str, String>);

impl<const GROUP: u8> Flags<GROUP> {
    fn keys() -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(|key| key.group as u8 == GROUP)
    }
}

impl<const GROUP: u8> clap::Args for Flags<GROUP> {
    fn augment_args(command: Command) -> Command {
        Self::keys().fold(command, |command, key| command.arg(arg(key)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const GROUP: u8> clap::FromArgMatches for Flags<GROUP> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let typed = Self::keys().filter_map(|key| {
            let text = match key.value {
                Some(_) => matches.get_one::<String>(key.flag)?.clone(),
                None => matches.get_flag(key.flag).then(|| "true".to_owned())?,
            };
            Some((key.flag, text))
        });
        Ok(Self(typed.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

/// The argument for a setting.
fn arg(key: &Key) -> Arg {
    let heading = if key.group == Group::Budget { "Budget" } else { "Target" };
    let mut help = format!("{} [env: {}]", key.sentence(), key.variable());
    let default = key.default.text();
    if !default.is_empty() && key.value.is_some() {
        help += &format!(" [default: {default}]");
    }
    let arg = Arg::new(key.flag).long(key.flag).help(help).help_heading(heading);
    match key.value {
        Some(name) => arg.value_name(name).action(ArgAction::Set),
        None => arg.action(ArgAction::SetTrue),
    }
}
